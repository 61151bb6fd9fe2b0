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
/** Looks in a row in which something is sent and nothing comes, after one that showed something: of a flow that has
 * only just begun, and of which more cannot be told. */
export const UNANSWERED_LOOKS = 5;
/** The same of a flow that only trickles: so many looks without anything, after as many with something. */
export const TRICKLE_SILENT_LOOKS = 15;
/** No news for so long after news: what is done about it needs its time. */
export const NEXT_AFTER_MS = 5_000;

/** How many checks of each path in use, by its id, were answered. */
export type Answers = ReadonlyMap<string, number>;

/**
 * Bytes so far, and answers; null while there is no connection. A path on which checks are answered is there, whether
 * or not anybody has something to say over it.
 */
export type Flow = { sent: number; received: number; answers?: Answers } | null;

const NONE: Answers = new Map();

export type Verdict = "lost" | "doubtful";

export type Way = "publish" | "subscribe";

/** Whether a flow has stopped: at once where it was steady, later where it trickled. Told once, until it flows again. */
export class Silence {
  /** The last look showed that the path is there. */
  heard = false;
  private before: Flow = null;
  private steady = 0;
  private trickled = 0;
  private silent = 0;
  private unanswered = 0;

  /** `answered`: what is sent is acknowledged, so that silence is more than a doubt. */
  constructor(private readonly answered: boolean) {}

  look(flow: Flow): Verdict | null {
    const before = this.before;
    this.before = flow;
    const came = flow !== null && before !== null && flow.received > before.received;
    this.heard = came || (before !== null && wasAnswered(before.answers, flow?.answers));
    if (flow === null || before === null || flow.received < before.received) {
      this.steady = this.trickled = this.silent = this.unanswered = 0;
      return null;
    }
    if (came) {
      this.steady = Math.min(this.steady + 1, STEADY_LOOKS);
      this.trickled = Math.min(this.trickled + 1, STEADY_LOOKS);
      this.silent = this.unanswered = 0;
      return null;
    }
    this.silent++;
    if (this.answered && flow.sent > before.sent) this.unanswered++;
    if (this.silent < SILENT_LOOKS) return null;
    if (this.unanswered >= UNANSWERED_LOOKS && this.trickled > 0) {
      this.steady = this.trickled = 0;
      return "lost";
    }
    const wasSteady = this.steady >= STEADY_LOOKS;
    this.steady = 0;
    if (!wasSteady && (this.silent < TRICKLE_SILENT_LOOKS || this.trickled < STEADY_LOOKS)) return null;
    this.trickled = 0;
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
  /** When a look showed something last; null before. */
  readonly heardAt: Record<Way, number | null> = { publish: null, subscribe: null };
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
    if (this.publishing.heard) this.heardAt.publish = clock.now();
    if (this.subscribing.heard) this.heardAt.subscribe = clock.now();
    if (verdicts.every((verdict) => verdict === null) || clock.now() < this.quietUntil) return;
    this.quietUntil = clock.now() + NEXT_AFTER_MS;
    if (verdicts.includes("lost")) lost();
    else doubtful();
  }
}

/**
 * Of the connection that the first of these belongs to. Asking one of them is cheaper than asking all.
 *
 * By its transport, or by its pairs in a browser that does not count there. The pair in use counts in whatever state
 * it is: Chromium says "in-progress" of it from the first check on that stays unanswered, which is when it matters.
 */
export async function flowOf(ends: (RTCRtpSender | RTCRtpReceiver)[]): Promise<Flow> {
  const end = ends.find(({ track, transport }) => track !== null && transport !== null);
  if (end === undefined) return null;
  let byTransport: Bytes | null = null;
  let byPair: Bytes | null = null;
  const answers = new Map<string, number>();
  (await end.getStats()).forEach((entry: Counted) => {
    if (entry.type === "transport" && entry.bytesReceived !== undefined) byTransport = added(byTransport, entry);
    else if (entry.type === "candidate-pair" && entry.nominated === true) {
      byPair = added(byPair, entry);
      answers.set(entry.id, entry.responsesReceived ?? 0);
    }
  });
  const flow = (byTransport ?? byPair) as Bytes | null;
  return flow === null ? null : { ...flow, answers };
}

type Bytes = { sent: number; received: number };

interface Counted {
  id: string;
  type: string;
  nominated?: boolean;
  bytesSent?: number;
  bytesReceived?: number;
  responsesReceived?: number;
}

function wasAnswered(before: Answers = NONE, now: Answers = NONE): boolean {
  return [...now].some(([id, count]) => count > (before.get(id) ?? 0));
}

function added(flow: Bytes | null, { bytesSent = 0, bytesReceived = 0 }: Counted): Bytes {
  return { sent: (flow?.sent ?? 0) + bytesSent, received: (flow?.received ?? 0) + bytesReceived };
}
