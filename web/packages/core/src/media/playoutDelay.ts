/**
 * How long received media waits before it is shown, so that lost packets can come again in time.
 *
 * A browser shows a picture as soon as it can. Where one of the uppermost temporal layer lacks a packet, it goes on to
 * the next one instead of waiting for the repair, and a fifth of the packets lost costs half of the pictures. What the
 * repairs take is known from the loss and the round trip: waiting that long gets nearly all of them. It is raised as
 * soon as losses call for it and lowered slowly, and where next to nothing is lost nothing waits.
 */

/** Milliseconds that nothing waits longer than: people who talk with each other would notice. */
export const MOST_DELAY_MS = 500;
/** Share of packets below which so few pictures suffer that waiting is worse. */
export const LITTLE_LOSS = 0.02;
/** Share of packets that may still be missing after the wait: of pictures of five packets one in fifty. */
export const STILL_MISSING = 0.004;
/** From a packet's loss until it is missed and asked for, and until its repair leaves. */
export const FIRST_REQUEST_MS = 60;
/** After which a browser that only receives asks again: it does not know its round trip and takes it for 100. */
export const NEXT_REQUEST_MS = 120;
/** Smaller differences are not worth a change. */
export const STEP_MS = 50;
/** How long less must have been enough before it is lowered by a step, and until the one after that. */
export const LOWER_AFTER_MS = 10_000;
export const LOWER_AGAIN_MS = 2_000;
/** Looks that a share of lost packets is taken over, and the packets there must have been in them. */
export const LOOKS = 3;
export const ENOUGH_PACKETS = 30;

/** Packets of all videos of a connection since its beginning; the round trip in milliseconds where it is known. */
export interface Arrived {
  received: number;
  lost: number;
  /** Requests to send packets again. */
  requests: number;
  roundTrip: number | null;
}

interface Difference {
  received: number;
  lost: number;
  requests: number;
}

/** Milliseconds that repairs take on a path that loses this share of its packets; 0 where none are worth waiting for. */
export function delayFor(lostShare: number, roundTrip: number): number {
  if (!(lostShare >= LITTLE_LOSS)) return 0;
  let requests = 1;
  let delay = roundTrip + FIRST_REQUEST_MS;
  while (lostShare ** (requests + 1) > STILL_MISSING && delay < MOST_DELAY_MS) {
    requests++;
    delay += NEXT_REQUEST_MS;
  }
  return Math.min(delay, MOST_DELAY_MS);
}

/** Follows one connection after another; what is found over one holds for the next until that says otherwise. */
export class PlayoutDelay {
  private before: Arrived | null = null;
  private readonly differences: Difference[] = [];
  private current = 0;
  private lowerAt: number | null = null;

  /** Milliseconds; 0 leaves it to the browser. */
  get milliseconds(): number {
    return this.current;
  }

  /** Called at an even pace; `now` in milliseconds. */
  look(arrived: Arrived, now: number): number {
    const before = this.before;
    this.before = arrived;
    // Another connection, or a stream that went with what it had counted.
    if (before === null || arrived.received < before.received || arrived.requests < before.requests) {
      this.differences.length = 0;
      return this.current;
    }
    this.differences.push({
      received: arrived.received - before.received,
      lost: arrived.lost - before.lost,
      requests: arrived.requests - before.requests,
    });
    if (this.differences.length > LOOKS) this.differences.shift();
    const sum = (of: (one: Difference) => number) => this.differences.reduce((total, one) => total + of(one), 0);
    const packets = sum((one) => one.received + one.lost);
    if (packets < ENOUGH_PACKETS) return this.current;
    // What nobody asks for again is not waited for.
    const lost = sum((one) => one.requests) > 0 ? sum((one) => one.lost) : 0;
    this.approach(delayFor(lost / packets, arrived.roundTrip ?? 0), now);
    return this.current;
  }

  private approach(wanted: number, now: number): void {
    const isLess = wanted <= this.current - STEP_MS || (wanted === 0 && this.current > 0);
    if (!isLess) {
      this.lowerAt = null;
      if (wanted >= this.current + STEP_MS) this.current = Math.round(wanted);
      return;
    }
    this.lowerAt ??= now + LOWER_AFTER_MS;
    if (now < this.lowerAt) return;
    this.lowerAt = now + LOWER_AGAIN_MS;
    this.current = Math.max(Math.round(wanted), this.current - STEP_MS);
  }
}
