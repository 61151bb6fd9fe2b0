import type { SubscribeItem } from "@rostrum/protocol";
import { beforeEach, describe, expect, it } from "vitest";
import { AutoSubscribe } from "../src/autoSubscribe";
import { settle } from "./support/world";

/** A server with room for so many. */
let room: number;
let asked: string[][];
let failures: unknown[];
let on: boolean;
let auto: AutoSubscribe;

function answerTo(publication_id: string): SubscribeItem {
  if (publication_id === "gone") return { publication_id, ok: false, error: { name: "NotFound" } };
  if (room === 0) return { publication_id, ok: false, error: { name: "LimitExceeded" } };
  room--;
  return { publication_id, ok: true, error: null };
}

beforeEach(() => {
  room = 2;
  asked = [];
  failures = [];
  on = true;
  auto = new AutoSubscribe({
    subscriber: {
      subscribe: async (wanted) => {
        asked.push(wanted.map(({ publication_id }) => publication_id));
        return wanted.map(({ publication_id }) => answerTo(publication_id));
      },
    },
    isOn: () => on,
    canOpen: (publicationId) => publicationId !== "sealed",
    failed: (error) => failures.push(error),
  });
});

describe("subscribing by itself", () => {
  it("asks for what can be opened", async () => {
    auto.subscribe(["a", "sealed", "b"]);
    auto.subscribe(["sealed"]);
    await settle();
    expect(asked).toEqual([["a", "b"]]);
  });

  it("asks again for what there was no room for, once there is", async () => {
    auto.subscribe(["a", "b", "c", "d", "gone"]);
    await settle();
    room++;
    auto.handleEnded("a");
    await settle();
    expect(asked[1]).toEqual(["c", "d"]);
    room++;
    auto.handleEnded("b");
    await settle();
    expect(asked[2]).toEqual(["d"]);
    auto.handleEnded("c");
    expect(asked).toHaveLength(3);
  });

  it("forgets what ended before its turn came", async () => {
    auto.subscribe(["a", "b", "c"]);
    await settle();
    auto.handleEnded("c");
    auto.handleEnded("a");
    await settle();
    expect(asked).toHaveLength(1);
  });

  it("asks for nothing while a view does it, nor for what it asked before everything began anew", async () => {
    auto.subscribe(["a", "b", "c"]);
    await settle();
    on = false;
    auto.handleEnded("a");
    on = true;
    auto.reset();
    auto.handleEnded("b");
    await settle();
    expect(asked).toHaveLength(1);
    expect(failures).toEqual([]);
  });
});
