/**
 * ICE restarts of one connection on suspicion: where nothing comes after one, it is tried again.
 *
 *     sound --doubt()--> doubted --restart()--> restarted --heard--> sound
 *                                                |   ^
 *                                                +---+ nothing heard after AGAIN_AFTER_MS[n]: once more
 *
 * A browser learns of its new address only after some seconds and may lose that one too; a restart that it could
 * do nothing with looks to the page like any other. Each has its time from when it is negotiated: one that came
 * before would undo what the one before it has begun. After the last attempt it is left to the browser, which says
 * in the end that the connection failed. Where nothing came before the doubt, nothing is waited for after it.
 */

import type { Clock, TimerId } from "../clock";

/** How long each restart has to show something. */
export const AGAIN_AFTER_MS = [1_500, 3_000, 6_000];
/** What came last so long before the doubt is missed after it. */
export const LATELY_MS = 3_000;
/** What did not come back for so long is missed no more: others may just as well have stopped talking. */
export const MISSED_FOR_MS = 20_000;

export interface SuspicionOptions {
  clock: Clock;
  /** When something came last over the connection, by the clock; null before. */
  heardAt: () => number | null;
  /** Resolves once it is negotiated, or failed. */
  restart: () => Promise<void>;
}

export class Suspicion {
  private timer: TimerId | null = null;
  private attempt = 0;
  /** Which restart is the latest. */
  private round = 0;
  /** Since when it is missed what came before; null while nothing is. */
  private since: number | null = null;

  constructor(private readonly options: SuspicionOptions) {}

  /** The way may be gone. */
  doubt(): void {
    const now = this.options.clock.now();
    const heardAt = this.options.heardAt();
    this.settle();
    if (this.since === null && heardAt !== null && now - heardAt <= LATELY_MS) this.since = now;
  }

  /** Restarts now, however often it was before. */
  restart(): void {
    this.stopTimer();
    this.attempt = 0;
    this.settle();
    void this.attemptOnce();
  }

  stop(): void {
    this.round++;
    this.stopTimer();
    this.since = null;
  }

  private async attemptOnce(): Promise<void> {
    const round = ++this.round;
    await this.options.restart();
    if (round === this.round) this.wait();
  }

  private wait(): void {
    const delay = AGAIN_AFTER_MS[this.attempt++];
    if (this.since === null || delay === undefined) return;
    this.timer = this.options.clock.setTimeout(() => {
      this.timer = null;
      this.settle();
      if (this.since !== null) void this.attemptOnce();
    }, delay);
  }

  private settle(): void {
    const { clock, heardAt } = this.options;
    if (this.since === null) return;
    const back = (heardAt() ?? this.since) > this.since;
    if (back || clock.now() - this.since > MISSED_FOR_MS) this.since = null;
  }

  private stopTimer(): void {
    if (this.timer !== null) this.options.clock.clearTimeout(this.timer);
    this.timer = null;
  }
}
