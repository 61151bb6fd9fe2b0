/**
 * When to repair a connection: a failed path at once, a disconnected one if it does not heal by itself.
 *
 * Each repair is given time to work before the next; after `MAX_REPAIRS` in a row `beyondRepair` is called.
 */

import type { Clock, TimerId } from "../clock";

export const HEALING_TIME_MS = 3_000;
export const REPAIR_TIME_MS = 5_000;
export const MAX_REPAIRS = 4;

export interface IceWatchActions {
  repair(): void;
  beyondRepair(): void;
}

export class IceWatch {
  private timer: TimerId | null = null;
  private repairs = 0;

  constructor(
    private readonly clock: Clock,
    private readonly actions: IceWatchActions,
  ) {}

  handleState(state: RTCPeerConnectionState): void {
    if (state === "connected") {
      this.stop();
      this.repairs = 0;
    } else if (state === "failed") {
      this.repairIn(this.repairs === 0 ? 0 : REPAIR_TIME_MS);
    } else if (state === "disconnected") {
      this.repairIn(HEALING_TIME_MS);
    } else if (state === "closed") {
      this.stop();
    }
  }

  /** The way to the server is new: what did not work over the old one is repaired at once. */
  hurry(state: RTCPeerConnectionState): void {
    if (state === "disconnected" || state === "failed") this.repairIn(0);
    else this.handleState(state);
  }

  stop(): void {
    if (this.timer !== null) this.clock.clearTimeout(this.timer);
    this.timer = null;
  }

  private repairIn(milliseconds: number): void {
    this.stop();
    this.timer = this.clock.setTimeout(() => this.repair(), milliseconds);
  }

  private repair(): void {
    this.timer = null;
    if (this.repairs >= MAX_REPAIRS) {
      this.actions.beyondRepair();
      return;
    }
    this.repairs++;
    this.actions.repair();
    this.repairIn(REPAIR_TIME_MS);
  }
}
