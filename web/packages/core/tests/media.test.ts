import { describe, expect, it } from "vitest";
import { cameraEncodings, preferCodec, scalableEncodings, screenEncodings, withoutLayers } from "../src/media/encodings";
import { IceWatch } from "../src/media/iceWatch";
import { SerialQueue } from "../src/media/queue";
import { ManualClock } from "./support/world";

describe("camera encodings", () => {
  it.each([[320, ["q"]], [640, ["q", "h"]], [1280, ["q", "h", "f"]], [1920, ["q", "h", "f"]]] as const)(
    "for a width of %i are %j, lowest first",
    (width, rids) => {
      const encodings = cameraEncodings(width, true);
      if (rids.length > 1) expect(encodings.map(({ rid }) => rid)).toEqual(rids);
      else expect(encodings).toHaveLength(1);
      const bitrates = encodings.map(({ maxBitrate }) => maxBitrate ?? 0);
      expect([...bitrates].sort((a, b) => a - b)).toEqual(bitrates);
      expect(encodings[encodings.length - 1]?.scaleResolutionDownBy ?? 1).toBe(1);
    },
  );

  it("without simulcast are one, as good as the best layer", () => {
    expect(cameraEncodings(1280, false)).toEqual([{ maxBitrate: 1_500_000 }]);
  });
});

describe("scalable encodings", () => {
  it.each([[320, "L1T3"], [640, "L2T3_KEY"], [1280, "L3T3_KEY"], [1920, "L3T3_KEY"]] as const)(
    "for a width of %i are one with the layers %s",
    (width, scalabilityMode) => {
      expect(scalableEncodings(width)).toMatchObject([{ scalabilityMode }]);
      expect(withoutLayers(scalableEncodings(width))).toEqual([
        { maxBitrate: scalableEncodings(width)[0]?.maxBitrate },
      ]);
    },
  );
});

it("a screen is sent once, at its preset's frame rate", () => {
  expect(screenEncodings(15)).toMatchObject([{ maxFramerate: 15 }]);
});

it("the preferred codec comes first and the rest keeps its order", () => {
  const codecs = ["video/VP9", "video/rtx", "video/VP8", "video/AV1"].map((mimeType) => ({ mimeType }));
  const order = preferCodec(codecs, "video/vp8").map(({ mimeType }) => mimeType);
  expect(order).toEqual(["video/VP8", "video/VP9", "video/rtx", "video/AV1"]);
});

it("a queue runs one job after the other, also past one that fails", async () => {
  const queue = new SerialQueue();
  const order: string[] = [];
  const job = (name: string, fails = false) =>
    queue.run(async () => {
      order.push(`${name} starts`);
      await Promise.resolve();
      order.push(`${name} ends`);
      if (fails) throw new Error(name);
    });
  const first = job("a", true);
  const second = job("b");
  await expect(first).rejects.toThrow("a");
  await second;
  expect(order).toEqual(["a starts", "a ends", "b starts", "b ends"]);
});

it("a queue lets go of a job that is abandoned, and of no other", async () => {
  const queue = new SerialQueue();
  const seen: AbortSignal[] = [];
  const stuck = queue.run((abandoned) => {
    seen.push(abandoned);
    return new Promise(() => undefined);
  });
  const next = queue.run(async (abandoned) => void seen.push(abandoned));
  await Promise.resolve();
  queue.abandon();
  await Promise.all([stuck, next]);
  expect(seen.map(({ aborted }) => aborted)).toEqual([true, false]);
});

describe("a path that is lost", () => {
  function watch() {
    const clock = new ManualClock();
    const calls: string[] = [];
    const iceWatch = new IceWatch(clock, {
      repair: () => calls.push("repair"),
      beyondRepair: () => calls.push("beyond repair"),
    });
    return { clock, calls, iceWatch };
  }

  it("is given time to heal", async () => {
    const { clock, calls, iceWatch } = watch();
    iceWatch.handleState("disconnected");
    await clock.advance(2_900);
    iceWatch.handleState("connected");
    await clock.advance(60_000);
    expect(calls).toEqual([]);
  });

  it("is repaired when it does not", async () => {
    const { clock, calls, iceWatch } = watch();
    iceWatch.handleState("disconnected");
    await clock.advance(3_000);
    expect(calls).toEqual(["repair"]);
  });

  it("is repaired at once when it failed, and given up after four tries", async () => {
    const { clock, calls, iceWatch } = watch();
    iceWatch.handleState("failed");
    await clock.advance(0);
    expect(calls).toEqual(["repair"]);
    await clock.advance(60_000);
    expect(calls).toEqual(["repair", "repair", "repair", "repair", "beyond repair"]);
  });
});
