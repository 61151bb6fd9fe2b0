import { beforeEach, describe, expect, it } from "vitest";
import type { RequestBody } from "../src/connection/requests";
import type { Signal } from "../src/connection/results";
import { ViewMode } from "../src/view";

let sent: RequestBody[];
let manual: number;
let mode: ViewMode;
let signal: Signal;

beforeEach(() => {
  sent = [];
  manual = 0;
  signal = {
    request: async (body: RequestBody) => {
      sent.push(body);
      return {};
    },
  } as unknown as Signal;
  mode = new ViewMode(signal, { awaited: false, encrypted: false, onManual: () => manual++ });
});

describe("a view", () => {
  it("is told when it changes, and only then", async () => {
    await mode.choose({ mode: "page", peerIds: ["a"] });
    await mode.choose({ mode: "page", peerIds: ["a"] });
    await mode.choose({ mode: "speakers", count: 4 });
    expect(sent).toEqual([
      { type: "set_view", mode: "page", peer_ids: ["a"], encrypted: false },
      { type: "set_view", mode: "speakers", count: 4, encrypted: false },
    ]);
    expect(mode.isManual).toBe(false);
  });

  it("is told again where the server begins anew", async () => {
    await mode.repeat();
    expect(sent).toEqual([]);
    await mode.choose({ mode: "speakers", count: 4 });
    await mode.repeat();
    expect(sent.length).toBe(2);
  });

  it("that is awaited is neither manual nor told, until there is one", async () => {
    mode = new ViewMode(signal, { awaited: true, encrypted: true, onManual: () => manual++ });
    expect(mode.isManual).toBe(false);
    await mode.repeat();
    expect(sent).toEqual([]);
    await mode.choose({ mode: "manual" });
    expect([sent.length, manual, mode.isManual]).toEqual([1, 1, true]);
  });

  it("that ends leaves subscribing to the client", async () => {
    await mode.choose({ mode: "manual" });
    expect(manual).toBe(0);
    await mode.choose({ mode: "page", peerIds: [] });
    await mode.choose({ mode: "manual" });
    expect(manual).toBe(1);
  });
});
