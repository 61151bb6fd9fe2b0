/**
 * Notices within a second that nothing comes any more over a connection over which something came all the time:
 * an address that changed, a network that went. Browsers take six or seven seconds to say so.
 *
 * Where this client sends, the server acknowledges many times a second: sending without hearing anything means
 * that the way is gone (`lost`). Where it only receives, the others may have stopped talking just as well
 * (`doubtful`).
 */

import type { Clock, TimerId } from "../clock";

export const LOOK_EVERY_MS = 200;
/** Looks in a row that show nothing after ... */
export const SILENT_LOOKS = 3;
/** ... so many in a row that each showed something. */
export const STEADY_LOOKS = 8;
/** No news for so long after news: what is done about it needs its time. */
export const NEXT_AFTER_MS = 5_000;

/** Bytes so far; null while there is no connection. */
export type Flow = { sent: number; received: number } | null;

/** Whether a flow that was steady has stopped. Told once, until it is steady again. */
export class Silence {
  private before: { sent: number; received: number } | null = null;
  private steady = 0;
  private silent = 0;

  /** `mustSend`: only silence in answer to something counts. */
  constructor(private readonly mustSend: boolean) {}

  look(flow: Flow): boolean {
    const before = this.before;
    this.before = flow;
    if (flow === null || before === null || flow.received < before.received) {
      this.steady = this.silent = 0;
      return false;
    }
    if (flow.received > before.received) {
      this.steady = Math.min(this.steady + 1, STEADY_LOOKS);
      this.silent = 0;
      return false;
    }
    if (this.mustSend && flow.sent === before.sent) {
      this.steady = this.silent = 0;
      return false;
    }
    this.silent++;
    if (this.silent < SILENT_LOOKS) return false;
    const told = this.steady >= STEADY_LOOKS;
    this.steady = 0;
    return told;
  }
}

export interface PathWatchOptions {
  clock: Clock;
  publish: () => Promise<Flow>;
  subscribe: () => Promise<Flow>;
  lost: () => void;
  doubtful: () => void;
}

export class PathWatch {
  private timer: TimerId | null = null;
  private publishing = new Silence(true);
  private subscribing = new Silence(false);
  private quietUntil = 0;

  constructor(private readonly options: PathWatchOptions) {}

  start(): void {
    if (this.timer === null) this.schedule();
  }

  stop(): void {
    if (this.timer !== null) this.options.clock.clearTimeout(this.timer);
    this.timer = null;
  }

  private schedule(): void {
    this.timer = this.options.clock.setTimeout(() => void this.look(), LOOK_EVERY_MS);
  }

  private async look(): Promise<void> {
    const { clock, publish, subscribe, lost, doubtful } = this.options;
    const timer = this.timer;
    const [sent, got] = await Promise.all([publish(), subscribe()]).catch(() => [null, null]);
    if (this.timer !== timer) return;
    this.schedule();
    const isLost = this.publishing.look(sent ?? null);
    const isDoubtful = this.subscribing.look(got ?? null);
    if ((!isLost && !isDoubtful) || clock.now() < this.quietUntil) return;
    this.quietUntil = clock.now() + NEXT_AFTER_MS;
    if (isLost) lost();
    else doubtful();
  }
}

/** Of the connection that the first of these belongs to. Asking one of them is cheaper than asking all. */
export async function flowOf(ends: (RTCRtpSender | RTCRtpReceiver)[]): Promise<Flow> {
  const end = ends.find(({ track, transport }) => track !== null && transport !== null);
  if (end === undefined) return null;
  let flow: Flow = null;
  (await end.getStats()).forEach((entry: RTCIceCandidatePairStats & { nominated?: boolean }) => {
    if (entry.type !== "candidate-pair" || entry.nominated !== true || entry.state !== "succeeded") return;
    const { bytesSent = 0, bytesReceived = 0 } = entry;
    flow = { sent: (flow?.sent ?? 0) + bytesSent, received: (flow?.received ?? 0) + bytesReceived };
  });
  return flow;
}
