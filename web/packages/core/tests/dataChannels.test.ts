import { beforeEach, describe, expect, it } from "vitest";
import { DataChannels, type DataMessage, REOPEN_AFTER_MS } from "../src/data/dataChannels";
import { decodeMessage, encodeMessage, MAX_PAYLOAD } from "../src/data/message";
import { type FakeDataChannel, FakePeerConnection } from "./support/peerConnection";
import { ManualClock, settle } from "./support/world";

let clock: ManualClock;
let connections: FakePeerConnection[];
let data: DataChannels;
let may: boolean;

beforeEach(() => {
  clock = new ManualClock();
  connections = [];
  may = true;
  data = new DataChannels({
    clock,
    maySend: () => may,
    openOn: async (create) => {
      connections.push(new FakePeerConnection());
      create(latest() as unknown as RTCPeerConnection);
    },
  });
});

const latest = () => connections[connections.length - 1]!;
const channel = (label: string): FakeDataChannel =>
  latest().dataChannels.filter((one) => one.label === label).at(-1)!;

async function open(): Promise<void> {
  const opened = data.open();
  await settle();
  channel("reliable").accept();
  channel("lossy").accept();
  await opened;
}

function fromServer(header: object, payload: string): ArrayBuffer {
  const text = new TextEncoder().encode(JSON.stringify(header));
  return new Uint8Array([0, text.length, ...text, ...new TextEncoder().encode(payload)]).buffer;
}

describe("messages", () => {
  it("say how long their header is, then the header, then the payload", () => {
    const message = encodeMessage(new Uint8Array([7, 8]), "cursor", ["peer_a"]);
    const length = (message[0]! << 8) + message[1]!;
    expect(JSON.parse(new TextDecoder().decode(message.subarray(2, 2 + length)))).toEqual({
      to: ["peer_a"],
      topic: "cursor",
    });
    expect([...message.subarray(2 + length)]).toEqual([7, 8]);
  });

  it("are at most 64 KiB", () => {
    expect(encodeMessage(new Uint8Array(MAX_PAYLOAD), "").length).toBeGreaterThan(MAX_PAYLOAD);
    expect(() => encodeMessage(new Uint8Array(MAX_PAYLOAD + 1), "")).toThrow(/too large/);
  });

  it("that are none are not taken for one", () => {
    for (const bytes of [[], [0], [0, 9, 1], [0, 2, 123, 125], [0, 1, 33]]) {
      expect(decodeMessage(new Uint8Array(bytes).buffer)).toBeNull();
    }
  });
});

describe("sending", () => {
  it("opens the channels by itself and picks one by what is wanted of it", async () => {
    const first = data.send("hello");
    await settle();
    expect(data.state).toBe("connecting");
    channel("reliable").accept();
    channel("lossy").accept();
    await first;
    await data.send(new Uint8Array([1]), { reliable: false, topic: "cursor" });
    expect([channel("reliable").sent.length, channel("lossy").sent.length]).toEqual([1, 1]);
    expect(connections).toHaveLength(1);
  });

  it("is refused without the permission and for what is too large, before anything is opened", async () => {
    await expect(data.send(new Uint8Array(MAX_PAYLOAD + 1))).rejects.toMatchObject({ name: "MessageTooLarge" });
    may = false;
    await expect(data.send("hello")).rejects.toMatchObject({ name: "PermissionDenied", code: 2001 });
    expect(connections).toHaveLength(0);
  });

  it("waits its turn on a full reliable channel and drops on a full lossy one", async () => {
    await open();
    channel("reliable").bufferedAmount = channel("lossy").bufferedAmount = 2 ** 20;
    let done = false;
    const waiting = data.send("patient").then(() => (done = true));
    await data.send("late", { reliable: false });
    await settle();
    expect(done).toBe(false);
    channel("reliable").drain();
    await waiting;
    expect([channel("reliable").sent.length, channel("lossy").sent.length]).toEqual([1, 0]);
  });
});

describe("receiving", () => {
  it("tells who sent it, about what, and how", async () => {
    const got: DataMessage[] = [];
    data.on("message", (message) => got.push(message));
    await open();
    channel("lossy").onmessage?.({ data: fromServer({ from: "peer_a", topic: "cursor" }, "hi") });
    channel("lossy").onmessage?.({ data: "not a message" });
    expect(got).toEqual([
      { from: "peer_a", topic: "cursor", payload: new TextEncoder().encode("hi"), reliable: false },
    ]);
  });
});

describe("losing", () => {
  it("the connection brings the channels back on the next one", async () => {
    await open();
    data.handleConnectionLost();
    expect(data.state).toBe("connecting");
    await clock.advance(0);
    expect(connections).toHaveLength(2);
    channel("reliable").accept();
    channel("lossy").accept();
    expect(data.state).toBe("open");
  });

  it("one channel to the server opens it again after a while, on the same connection", async () => {
    await open();
    channel("reliable").close();
    expect(data.state).toBe("connecting");
    await clock.advance(REOPEN_AFTER_MS);
    expect(connections).toHaveLength(1);
    channel("reliable").accept();
    expect(data.state).toBe("open");
  });

  it("everything by one's own wish brings nothing back", async () => {
    await open();
    data.close();
    await clock.advance(10 * REOPEN_AFTER_MS);
    expect(data.state).toBe("closed");
    expect(connections).toHaveLength(1);
  });
});
