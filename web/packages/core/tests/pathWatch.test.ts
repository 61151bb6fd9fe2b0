import { describe, expect, it } from "vitest";
import {
  type Flow,
  flowOf,
  LOOK_EVERY_MS,
  NEXT_AFTER_MS,
  PathWatch,
  Silence,
  SILENT_LOOKS,
  STEADY_LOOKS,
  TRICKLE_SILENT_LOOKS,
  UNANSWERED_LOOKS,
  type Verdict,
} from "../src/media/pathWatch";
import { ManualClock } from "./support/world";

/** Looks at a flow that gets and sends something (1) or not (0) between two looks. */
function looks(silence: Silence, received: number[], sent: number[] = received.map(() => 1)): (Verdict | null)[] {
  let flow = { sent: 0, received: 0 };
  silence.look(flow);
  return received.map((got, index) => {
    flow = { sent: flow.sent + (sent[index] ?? 0), received: flow.received + got };
    return silence.look(flow);
  });
}

const steady = Array<number>(STEADY_LOOKS).fill(1);
const silent = Array<number>(SILENT_LOOKS).fill(0);
const news = (told: (Verdict | null)[]) => told.filter((one) => one !== null).length;

describe("a flow", () => {
  it("that was steady and stops is told, once", () => {
    expect(news(looks(new Silence(false), [...steady, ...silent]))).toBe(1);
    expect(news(looks(new Silence(false), [...steady, ...silent, ...silent, ...silent]))).toBe(1);
  });

  it("that comes back and stops again is told again, when it was steady between", () => {
    expect(news(looks(new Silence(false), [...steady, ...silent, 1, ...silent]))).toBe(1);
    expect(news(looks(new Silence(false), [...steady, ...silent, ...steady, ...silent]))).toBe(2);
  });

  it("that was never steady, or pauses for a moment, is nothing to tell", () => {
    expect(news(looks(new Silence(false), [1, 1, ...silent]))).toBe(0);
    const pausing = [...steady, ...silent.slice(1), ...steady, ...silent.slice(1)];
    expect(news(looks(new Silence(false), pausing))).toBe(0);
  });

  it("that trickles and stops is told too, later", () => {
    const trickle = Array.from({ length: STEADY_LOOKS }, () => [...silent, 1]).flat();
    const after = Array<number>(TRICKLE_SILENT_LOOKS).fill(0);
    expect(news(looks(new Silence(false), trickle))).toBe(0);
    expect(news(looks(new Silence(false), [...trickle, ...after.slice(1)]))).toBe(0);
    expect(news(looks(new Silence(false), [...trickle, ...after, ...after]))).toBe(1);
  });

  it("that is not answered is lost, and in doubt where nothing is sent into it any more", () => {
    const received = [...steady, ...silent];
    expect(looks(new Silence(true), received)).toContain("lost");
    // An address that is gone takes no packets: those are not even counted as sent.
    const gone = looks(new Silence(true), received, [...steady, ...silent]);
    expect(gone.filter((one) => one !== null)).toEqual(["doubtful"]);
    const few = looks(new Silence(true), received, [...steady, 1, ...silent.slice(1)]);
    expect(few.filter((one) => one !== null)).toEqual(["doubtful"]);
  });

  it("that has just begun, and is not answered any more, is lost a little later, once", () => {
    const silence = new Silence(true);
    const told = looks(silence, [1, ...Array<number>(2 * UNANSWERED_LOOKS).fill(0)], Array<number>(20).fill(1));
    expect(told.indexOf("lost")).toBe(UNANSWERED_LOOKS);
    expect(news(told)).toBe(1);
  });

  it("that was never answered is nothing to tell", () => {
    expect(news(looks(new Silence(true), Array<number>(20).fill(0), Array<number>(20).fill(1)))).toBe(0);
  });

  it("that is only received is never more than in doubt", () => {
    expect(looks(new Silence(false), [...steady, ...silent]).filter((one) => one !== null)).toEqual(["doubtful"]);
  });

  it("of another connection begins anew", () => {
    const silence = new Silence(false);
    looks(silence, steady);
    silence.look(null);
    expect(news(looks(silence, silent))).toBe(0);
  });
});

describe("what a connection counts", () => {
  /** A receiver whose browser tells that. */
  function receiver(...entries: object[]): RTCRtpReceiver {
    const stats = new Map(entries.map((entry, index) => [String(index), entry]));
    return { track: {}, transport: {}, getStats: async () => stats } as unknown as RTCRtpReceiver;
  }

  const pair = { type: "candidate-pair", nominated: true, state: "succeeded", bytesSent: 3, bytesReceived: 5 };

  it("is that of the pair in use, whatever becomes of it", async () => {
    for (const state of ["succeeded", "in-progress", "failed"]) {
      expect(await flowOf([receiver({ ...pair, state })])).toMatchObject({ sent: 3, received: 5 });
    }
    expect(await flowOf([receiver({ ...pair, nominated: false })])).toBeNull();
  });

  it("is that of the transport over all the pairs it had, where a browser tells that", async () => {
    const transport = { type: "transport", bytesSent: 30, bytesReceived: 50 };
    expect(await flowOf([receiver(pair, transport)])).toMatchObject({ sent: 30, received: 50 });
    expect(await flowOf([receiver(pair, { type: "transport" })])).toMatchObject({ sent: 3, received: 5 });
  });

  it("has the answers to the checks of the pairs in use", async () => {
    const used = { ...pair, id: "CP1", responsesReceived: 7 };
    const unused = { ...pair, id: "CP2", nominated: false, responsesReceived: 9 };
    expect((await flowOf([receiver(used, unused)]))?.answers).toEqual(new Map([["CP1", 7]]));
  });
});

describe("a path", () => {
  const bytes = { sent: 10, received: 10 };
  const answered = (answers: [string, number][]) => ({ ...bytes, answers: new Map(answers) });

  it("is there where its checks are answered, though nothing else comes", () => {
    const silence = new Silence(false);
    const heard = [answered([["old", 5]]), answered([["old", 5]]), answered([["old", 6]]), answered([["new", 1]])].map(
      (flow) => {
        silence.look(flow);
        return silence.heard;
      },
    );
    expect(heard).toEqual([false, false, true, true]);
  });

  it("that goes from among several is no answer", () => {
    const silence = new Silence(false);
    silence.look(answered([["one", 5], ["other", 3]]));
    silence.look(answered([["other", 3]]));
    expect(silence.heard).toBe(false);
  });

  it("whose checks alone are answered is silent all the same", () => {
    const silence = new Silence(true);
    looks(silence, steady);
    const received = steady.length;
    const told = Array.from({ length: SILENT_LOOKS }, (_, look) =>
      silence.look({ sent: steady.length + 1 + look, received, answers: new Map([["CP1", 1 + look]]) }),
    );
    expect(told[SILENT_LOOKS - 1]).toBe("lost");
  });
});

it("a way that goes is told within a second, and then not again for a while", async () => {
  const clock = new ManualClock();
  const flow = { sent: 0, received: 0 };
  let arrives = 100;
  const told: number[] = [];
  const watch = new PathWatch({
    clock,
    publish: async (): Promise<Flow> => {
      flow.sent += 100;
      flow.received += arrives;
      return { ...flow };
    },
    subscribe: async () => null,
    lost: () => told.push(clock.now()),
    doubtful: () => expect.unreachable(),
  });
  watch.start();
  await clock.advance(5_000);
  arrives = 0;
  await clock.advance(1_000);
  expect(told).toHaveLength(1);
  arrives = 100;
  await clock.advance(STEADY_LOOKS * LOOK_EVERY_MS + LOOK_EVERY_MS);
  arrives = 0;
  await clock.advance(1_000);
  expect(told).toHaveLength(1);
  arrives = 100;
  await clock.advance(NEXT_AFTER_MS);
  arrives = 0;
  await clock.advance(1_000);
  expect(told).toHaveLength(2);
  watch.stop();
  arrives = 100;
  await clock.advance(10_000);
  expect(told).toHaveLength(2);
});

it("who only sends, from an address that goes, is told to be in doubt within a second", async () => {
  const clock = new ManualClock();
  let flow = { sent: 0, received: 0 };
  let there = true;
  const told: number[] = [];
  const watch = new PathWatch({
    clock,
    publish: async (): Promise<Flow> => {
      if (there) flow = { sent: flow.sent + 100, received: flow.received + 10 };
      return flow;
    },
    subscribe: async () => null,
    lost: () => expect.unreachable(),
    doubtful: () => told.push(clock.now()),
  });
  watch.start();
  await clock.advance(5_000);
  there = false;
  await clock.advance(1_000);
  expect(told).toHaveLength(1);
  await clock.advance(10_000);
  expect(told).toHaveLength(1);
  watch.stop();
});
