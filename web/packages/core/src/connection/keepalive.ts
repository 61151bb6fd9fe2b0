/**
 * Notices a line that died without saying so: pings while it is quiet, gives it up after a long silence, or after
 * a short one where there is reason to doubt it (`probe`).
 */

import type { Clock, TimerId } from "../clock";

export const PING_INTERVAL_MS = 10_000;
export const SILENCE_LIMIT_MS = 30_000;
export const PROBE_LIMIT_MS = 2_000;
/** Where something else says as well that the line is gone. */
export const SHORT_PROBE_LIMIT_MS = 450;

export interface KeepaliveActions {
  ping(): void;
  dead(): void;
}

export class Keepalive {
  private timer: TimerId | null = null;
  private probing: TimerId | null = null;
  private probeEnds = 0;
  private lastHeard = 0;

  constructor(
    private readonly clock: Clock,
    private readonly actions: KeepaliveActions,
  ) {}

  start(): void {
    this.stop();
    this.heard();
    this.schedule();
  }

  stop(): void {
    if (this.timer !== null) this.clock.clearTimeout(this.timer);
    this.timer = null;
    this.endProbe();
  }

  heard(): void {
    this.lastHeard = this.clock.now();
    this.endProbe();
  }

  /** Asks for a sign of life now, and gives the line up if none comes soon. The most impatient counts. */
  probe(limit: number = PROBE_LIMIT_MS): void {
    if (this.timer === null) return;
    const ends = this.clock.now() + limit;
    if (this.probing !== null && this.probeEnds <= ends) return;
    this.endProbe();
    this.probeEnds = ends;
    this.probing = this.clock.setTimeout(() => {
      this.stop();
      this.actions.dead();
    }, limit);
    this.actions.ping();
  }

  private endProbe(): void {
    if (this.probing !== null) this.clock.clearTimeout(this.probing);
    this.probing = null;
  }

  private schedule(): void {
    this.timer = this.clock.setTimeout(() => this.tick(), PING_INTERVAL_MS);
  }

  private tick(): void {
    if (this.clock.now() - this.lastHeard >= SILENCE_LIMIT_MS) {
      this.stop();
      this.actions.dead();
      return;
    }
    this.schedule();
    this.actions.ping();
  }
}
