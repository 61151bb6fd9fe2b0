/** Time and chance, as arguments: what waits takes a Clock, so that tests decide how time passes. */

export type TimerId = object | number;

export interface Clock {
  /** Milliseconds on a scale that only rises. */
  now(): number;
  /** Uniform in [0, 1). */
  random(): number;
  setTimeout(callback: () => void, milliseconds: number): TimerId;
  clearTimeout(timer: TimerId): void;
}

export const browserClock: Clock = {
  now: () => performance.now(),
  random: () => Math.random(),
  setTimeout: (callback, milliseconds) => setTimeout(callback, milliseconds),
  clearTimeout: (timer) => clearTimeout(timer as number),
};
