import type { TileSpec } from "@rostrum/protocol";
import { beforeEach, describe, expect, it } from "vitest";
import type { ShownSize } from "../src/media/elementWatch";
import { TELL_AFTER_MS, Tiles } from "../src/media/tiles";
import { ManualClock } from "./support/world";

let clock: ManualClock;
let tiles: Tiles;
let sent: TileSpec[][];
let resize: Map<HTMLElement, (size: ShownSize) => void>;
let connected: boolean;

/** Elements are only told apart here. */
const element = () => ({}) as HTMLElement;

beforeEach(() => {
  clock = new ManualClock();
  sent = [];
  resize = new Map();
  connected = true;
  tiles = new Tiles({
    clock,
    watchElement: (watched, onChange) => {
      resize.set(watched, onChange);
      return () => resize.delete(watched);
    },
    send: async (specs) => {
      if (!connected) throw new Error("not connected");
      sent.push(specs);
    },
  });
  tiles.handleSubscribed("pub_a");
});

const tile = (width: number, height: number, priority = 0) => ({ publication_id: "pub_a", width, height, priority });

describe("tiles", () => {
  it("tell their last size once, a moment after it changed", async () => {
    const video = element();
    tiles.show("pub_a", video);
    for (const width of [100, 200, 320]) resize.get(video)?.({ width, height: 180 });
    expect(sent).toEqual([]);
    await clock.advance(TELL_AFTER_MS);
    expect(sent).toEqual([[tile(320, 184)]]);
    resize.get(video)?.({ width: 319, height: 179 });
    await clock.advance(TELL_AFTER_MS);
    expect(sent.length).toBe(1);
  });

  it("count by the largest that shows a publication", async () => {
    const [large, small] = [element(), element()];
    const hide = tiles.show("pub_a", large, 1);
    tiles.show("pub_a", small);
    resize.get(large)?.({ width: 1280, height: 720 });
    resize.get(small)?.({ width: 160, height: 88 });
    await clock.advance(TELL_AFTER_MS);
    hide();
    await clock.advance(TELL_AFTER_MS);
    expect(sent).toEqual([[tile(1280, 720, 1)], [tile(160, 88)]]);
  });

  it("that went show nothing", async () => {
    const video = element();
    const hide = tiles.show("pub_a", video);
    resize.get(video)?.({ width: 320, height: 184 });
    await clock.advance(TELL_AFTER_MS);
    hide();
    await clock.advance(TELL_AFTER_MS);
    expect(sent[1]).toEqual([tile(0, 0)]);
  });

  it("of what was subscribed anew are told anew", async () => {
    const video = element();
    tiles.show("pub_a", video);
    resize.get(video)?.({ width: 320, height: 184 });
    await clock.advance(TELL_AFTER_MS);
    tiles.handleEnded("pub_a");
    tiles.handleSubscribed("pub_a");
    await clock.advance(TELL_AFTER_MS);
    expect(sent).toEqual([[tile(320, 184)], [tile(320, 184)]]);
  });

  it("that could not be told are told with the next change", async () => {
    const [video, other] = [element(), element()];
    tiles.show("pub_a", video);
    connected = false;
    resize.get(video)?.({ width: 320, height: 184 });
    await clock.advance(TELL_AFTER_MS);
    connected = true;
    tiles.handleSubscribed("pub_b");
    tiles.show("pub_b", other);
    resize.get(other)?.({ width: 0, height: 0 });
    await clock.advance(TELL_AFTER_MS);
    expect(sent).toEqual([[tile(320, 184), { ...tile(0, 0), publication_id: "pub_b" }]]);
  });
});
