/**
 * Notices within a second that nothing comes any more over a connection over which something came all the time:
 * an address that changed, a network that went. Browsers take six or seven seconds to say so.
 *
 * Where this client sends, the server acknowledges many times a second: sending without hearing anything means
 * that the way is gone (`lost`). Where it only receives, the others may have stopped talking just as well; and where
 * it sends nothing any more, nobody may want it, or the address that it sent from is gone (`doubtful`).
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

export type Verdict = "lost" | "doubtful";

/** Whether a flow that was steady has stopped. Told once, until it is steady again. */
export class Silence {
  private before: { sent: number; received: number } | null = null;
  private steady = 0;
  private silent = 0;
  private unanswered = 0;

  /** `answered`: what is sent is acknowledged, so that silence is more than a doubt. */
  constructor(private readonly answered: boolean) {}

  look(flow: Flow): Verdict | null {
    const before = this.before;
    this.before = flow;
    if (flow === null || before === null || flow.received < before.received) {
      this.steady = this.silent = this.unanswered = 0;
      return null;
    }
    if (flow.received > before.received) {
      this.steady = Math.min(this.steady + 1, STEADY_LOOKS);
      this.silent = this.unanswered = 0;
      return null;
    }
    this.silent++;
    if (this.answered && flow.sent > before.sent) this.unanswered++;
    if (this.silent < SILENT_LOOKS) return null;
    const told = this.steady >= STEADY_LOOKS;
    this.steady = 0;
    if (!told) return null;
    return this.unanswered >= SILENT_LOOKS ? "lost" : "doubtful";
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
    const verdicts = [this.publishing.look(sent ?? null), this.subscribing.look(got ?? null)];
    if (verdicts.every((verdict) => verdict === null) || clock.now() < this.quietUntil) return;
    this.quietUntil = clock.now() + NEXT_AFTER_MS;
    if (verdicts.includes("lost")) lost();
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
