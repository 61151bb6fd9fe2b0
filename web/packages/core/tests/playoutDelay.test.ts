import { describe, expect, it } from "vitest";
import {
  type Arrived,
  delayFor,
  ENOUGH_PACKETS,
  LITTLE_LOSS,
  LOWER_AFTER_MS,
  LOWER_AGAIN_MS,
  MOST_DELAY_MS,
  PlayoutDelay,
  STEP_MS,
} from "../src/media/playoutDelay";
import { LOOK_EVERY_MS } from "../src/media/playoutWatch";

/** A path of a hundred packets a second, looked at as often as the watch does. */
class Path {
  readonly delay = new PlayoutDelay();
  now = 0;
  private arrived: Arrived = { received: 0, lost: 0, requests: 0, roundTrip: 40 };

  constructor(private readonly packets = 100) {
    this.delay.look(this.arrived, this.now);
  }

  /** What the delay was after each second of such a loss; requests are made for each packet or for none. */
  pass(seconds: number, loss: number, { asked = true, roundTrip = 40 } = {}): number[] {
    return Array.from({ length: seconds }, () => {
      this.now += LOOK_EVERY_MS;
      const lost = this.packets * loss;
      const { received, lost: before, requests } = this.arrived;
      this.arrived = {
        received: received + this.packets - lost,
        lost: before + lost,
        requests: requests + (asked ? lost : 0),
        roundTrip,
      };
      return this.delay.look({ ...this.arrived }, this.now);
    });
  }

  /** Other statistics, as a connection that takes the place of this one has them. */
  replace(): number {
    this.now += LOOK_EVERY_MS;
    this.arrived = { received: 0, lost: 0, requests: 0, roundTrip: 40 };
    return this.delay.look({ ...this.arrived }, this.now);
  }
}

const last = (delays: number[]) => delays[delays.length - 1];

describe("the delay for a loss", () => {
  it("is nothing for little loss, on any path", () => {
    for (const loss of [0, LITTLE_LOSS / 2, Number.NaN, -0.1]) expect(delayFor(loss, 300)).toBe(0);
  });

  it("lasts for as many requests as it takes, and for the round trip", () => {
    expect(delayFor(0.03, 40)).toBe(100);
    expect(delayFor(0.1, 40)).toBe(220);
    expect(delayFor(0.2, 40)).toBe(340);
    expect(delayFor(0.2, 100)).toBe(400);
  });

  it("never exceeds its bound", () => {
    for (const loss of [0.02, 0.5, 0.9, 1]) expect(delayFor(loss, 2_000)).toBe(MOST_DELAY_MS);
    for (const loss of [0.5, 0.9, 1]) expect(delayFor(loss, 0)).toBe(MOST_DELAY_MS);
  });
});

describe("media", () => {
  it("does not wait where nothing is lost, however long the way is", () => {
    expect(new Path().pass(60, 0, { roundTrip: 500 })).toEqual(Array(60).fill(0));
  });

  it("waits from the first second of loss on", () => {
    const [first, ...rest] = new Path().pass(5, 0.2);
    expect(first).toBe(340);
    expect(rest).toEqual([340, 340, 340, 340]);
  });

  it("waits soon where loss begins later", () => {
    const path = new Path();
    path.pass(20, 0);
    const delays = path.pass(3, 0.2);
    expect(delays[0]).toBeGreaterThan(0);
    expect(last(delays)).toBe(340);
  });

  it("is not lowered by a pause in the losses", () => {
    const path = new Path();
    path.pass(5, 0.2);
    const delays = [...path.pass(8, 0), ...path.pass(3, 0.2), ...path.pass(8, 0)];
    expect(delays.every((delay) => delay === 340)).toBe(true);
  });

  it("waits less by one step after another when losses are over, and in the end not at all", () => {
    const path = new Path();
    path.pass(5, 0.2);
    const delays = path.pass(40, 0);
    const changes = delays.filter((delay, index) => index > 0 && delay !== delays[index - 1]);
    expect(changes).toEqual([290, 240, 190, 140, 90, 40, 0]);
    const lowered = delays.findIndex((delay) => delay < 340);
    expect((lowered + 1) * LOOK_EVERY_MS).toBeGreaterThanOrEqual(LOWER_AFTER_MS);
    expect(delays.lastIndexOf(290) - lowered + 1).toBe(LOWER_AGAIN_MS / LOOK_EVERY_MS);
  });

  it("does not follow small changes of the round trip", () => {
    const path = new Path();
    path.pass(5, 0.1);
    const delays = [40, 60, 30, 70, 40].flatMap((roundTrip) => path.pass(4, 0.1, { roundTrip }));
    expect(delays.every((delay) => Math.abs(delay - 220) < STEP_MS)).toBe(true);
    expect(new Set(delays).size).toBe(1);
  });

  it("that nobody asks for again is not waited for", () => {
    expect(new Path().pass(10, 0.3, { asked: false })).toEqual(Array(10).fill(0));
  });

  it("of which too little comes says nothing", () => {
    const path = new Path(ENOUGH_PACKETS / 10);
    expect(path.pass(10, 0.3)).toEqual(Array(10).fill(0));
  });

  it("over another connection begins with what the one before needed", () => {
    const path = new Path();
    path.pass(5, 0.2);
    expect(path.replace()).toBe(340);
    expect(path.pass(1, 0.2)).toEqual([340]);
  });

  it("that was only late, not lost, does not count", () => {
    const delay = new PlayoutDelay();
    const counts = [0, 20, 0, 20, 0].map((lost, second) => ({
      received: 100 * second - lost,
      lost,
      requests: 5 * second,
      roundTrip: 40,
    }));
    const delays = counts.map((arrived, second) => delay.look(arrived, 1_000 * second));
    expect(last(delays)).toBeLessThanOrEqual(340);
    const quiet = Array.from({ length: 40 }, (_, second) =>
      delay.look({ received: 400 + 100 * second, lost: 0, requests: 20 + second, roundTrip: 40 }, 5_000 + 1_000 * second),
    );
    expect(last(quiet)).toBe(0);
  });
});
