import type { SubscribeMove, SubscribeOffer } from "@rostrum/protocol";
import { beforeEach, expect, it } from "vitest";
import type { RequestBody } from "../src/connection/requests";
import type { Signal } from "../src/connection/results";
import { ConnectionLostError, RostrumError } from "../src/errors";
import { GIVE_UP_AFTER_MS, LOOK_EVERY_MS } from "../src/media/arrivals";
import { Subscriber, TELL_AGAIN_MS } from "../src/media/subscriber";
import { ManualClock, settle } from "./support/world";

/** A receiving connection whose statistics the test decides. */
class Receiving {
  connectionState = "connected";
  onconnectionstatechange: (() => void) | null = null;
  localDescription = { type: "answer", sdp: "" };
  closed = false;
  packets = 0;
  frames = 0;
  /** Whether something more comes with each look. */
  flows = true;
  readonly track = { id: `track ${Math.random()}` };

  readonly offers: string[] = [];

  setRemoteDescription = async ({ sdp }: { sdp: string }) => void this.offers.push(sdp);
  setLocalDescription = async () => undefined;
  addEventListener = () => undefined;
  getReceivers = () => [];
  createAnswer = async () => ({ type: "answer", sdp: "" });
  getTransceivers = () => [{ mid: "0", receiver: { track: this.track } }];
  close = () => (this.closed = true);

  getStats = async () => {
    if (this.flows) this.packets += 10;
    const entry = { type: "inbound-rtp", id: "in", kind: "video", packetsReceived: this.packets };
    return new Map([["in", { ...entry, framesDecoded: this.frames }]]);
  };
}

const mids = [{ mid: "0", publication_id: "pub_1", peer_id: "peer_1", source: "camera", kind: "video" as const }];
const first = { type: "subscribe_offer", version: 1, offer: "", mids } as SubscribeOffer;
const move = (number: number, version = 1) =>
  ({ type: "subscribe_move", move: number, version, offer: "", mids }) as SubscribeMove;

let clock: ManualClock;
let sent: RequestBody[];
let failures: Error[];
/** The request that fails. */
let failing: RequestBody["type"];
let made: Receiving[];
let subscriber: Subscriber;
let tracks: (object | null)[];

beforeEach(async () => {
  clock = new ManualClock();
  sent = [];
  failures = [];
  failing = "subscribe_moved";
  made = [];
  tracks = [];
  subscriber = new Subscriber({
    clock,
    signal: {
      request: async (body: RequestBody) => {
        sent.push(body);
        const failure = body.type === failing ? failures.shift() : undefined;
        if (failure !== undefined) throw failure;
        return {};
      },
    } as unknown as Signal,
    createPeerConnection: () => {
      made.push(new Receiving());
      return made[made.length - 1] as unknown as RTCPeerConnection;
    },
  });
  subscriber.on("track", (_, track) => tracks.push(track));
  await subscriber.handleOffer(first);
});

const told = () => sent.filter(({ type }) => type === "subscribe_moved").length;

it("takes the new connection once it shows what the old one does, and not before", async () => {
  const moving = subscriber.handleMove(move(7));
  await settle();
  await clock.advance(5 * LOOK_EVERY_MS);
  expect([told(), made[0]?.closed, tracks.length]).toEqual([0, false, 1]);
  made[1]!.frames = 1;
  await clock.advance(LOOK_EVERY_MS);
  await moving;
  expect(sent.at(-1)).toEqual({ type: "subscribe_moved", move: 7 });
  expect([made[0]?.closed, made[1]?.closed]).toEqual([true, false]);
  expect(tracks).toEqual([made[0]?.track, made[1]?.track]);
  expect(subscriber.peerConnection).toBe(made[1]);
});

it("answers a further offer of the same move on the same connection", async () => {
  void subscriber.handleMove(move(7));
  await settle();
  await clock.advance(LOOK_EVERY_MS);
  await subscriber.handleMove(move(7, 2));
  expect(made).toHaveLength(2);
  expect(sent.at(-1)).toMatchObject({ type: "subscribe_answer", move: 7, version: 2 });
});

it("takes an answer that the server has already for given, and no other refusal of one", async () => {
  failing = "subscribe_answer";
  failures = [new RostrumError("InvalidState", "Answered.", 9453), new RostrumError("InvalidState", "Answered.", 9453)];
  await subscriber.handleOffer({ ...first, version: 2 });
  const moving = subscriber.handleMove(move(7));
  await settle();
  made[1]!.frames = 1;
  await clock.advance(LOOK_EVERY_MS);
  await moving;
  expect(subscriber.peerConnection).toBe(made[1]);
  failures = [new RostrumError("InvalidInput", "What?", 9000)];
  await expect(subscriber.handleOffer({ ...first, version: 3 })).rejects.toMatchObject({ name: "InvalidInput" });
});

it("stays where it is when the new connection carries nothing", async () => {
  const moving = subscriber.handleMove(move(7));
  await settle();
  await clock.advance(GIVE_UP_AFTER_MS + LOOK_EVERY_MS);
  await moving;
  expect([told(), made[0]?.closed, made[1]?.closed]).toEqual([0, false, true]);
});

it("stays where it is when the move was called off", async () => {
  failures = [new RostrumError("NotFound", "Called off.", 2009)];
  const moving = subscriber.handleMove(move(7));
  await settle();
  made[1]!.frames = 1;
  await clock.advance(2 * LOOK_EVERY_MS);
  await moving;
  expect([made[0]?.closed, made[1]?.closed]).toEqual([false, true]);
  expect(subscriber.peerConnection).toBe(made[0]);
});

it("asks again where the answer was lost, and ignores offers for the old connection meanwhile", async () => {
  failures = [new ConnectionLostError()];
  const moving = subscriber.handleMove(move(7));
  await settle();
  made[1]!.frames = 1;
  await clock.advance(2 * LOOK_EVERY_MS);
  const before = sent.length;
  await subscriber.handleOffer({ ...first, version: 2 });
  expect(sent).toHaveLength(before);
  await clock.advance(TELL_AGAIN_MS);
  await moving;
  expect([told(), subscriber.peerConnection]).toEqual([2, made[1]]);
});

/** Says that it moved, and hears no answer yet. */
async function arriving(): Promise<{ moving: Promise<void> }> {
  failures = [new ConnectionLostError(), ...failures];
  const moving = subscriber.handleMove(move(7));
  await settle();
  made[1]!.frames = 1;
  await clock.advance(2 * LOOK_EVERY_MS);
  return { moving };
}

it("answers an offer of the new connection that came before the word that it moved, once that is there", async () => {
  const { moving } = await arriving();
  await subscriber.handleOffer({ ...first, version: 2, offer: "of the old one" });
  await subscriber.handleOffer({ ...first, version: 3, offer: "of the new one", moved: 7 });
  await clock.advance(TELL_AGAIN_MS);
  await moving;
  await settle();
  expect(sent.at(-1)).toMatchObject({ type: "subscribe_answer", version: 3 });
  expect([made[0]?.offers, made[1]?.offers]).toEqual([[""], ["", "of the new one"]]);
});

it("answers an offer of the old connection that came meanwhile, once the move turns out to be called off", async () => {
  failures = [new RostrumError("NotFound", "Called off.", 2009)];
  const { moving } = await arriving();
  await subscriber.handleOffer({ ...first, version: 2, offer: "of the old one" });
  await clock.advance(TELL_AGAIN_MS);
  await moving;
  await settle();
  expect(sent.at(-1)).toMatchObject({ type: "subscribe_answer", version: 2 });
  expect([made[0]?.offers, made[1]?.closed]).toEqual([["", "of the old one"], true]);
});

it("asks a server that was started again whether the move was done, where it had said so to the last one", async () => {
  const { moving } = await arriving();
  subscriber.forgetMove();
  await clock.advance(TELL_AGAIN_MS);
  await moving;
  await settle();
  expect([told(), subscriber.peerConnection]).toEqual([2, made[1]]);
});

it("lets go of a move that a server began which is gone, where it had not said that it moved", async () => {
  void subscriber.handleMove(move(7));
  await settle();
  subscriber.forgetMove();
  await clock.advance(2 * LOOK_EVERY_MS);
  expect([made[0]?.closed, made[1]?.closed, told()]).toEqual([false, true, 0]);
});

it("a later move takes the place of one that is under way", async () => {
  void subscriber.handleMove(move(7));
  await settle();
  const later = subscriber.handleMove(move(8));
  await settle();
  made[2]!.frames = 1;
  await clock.advance(3 * LOOK_EVERY_MS);
  await later;
  expect([made[1]?.closed, subscriber.peerConnection]).toEqual([true, made[2]]);
});

it("what is reset takes its move with it", async () => {
  void subscriber.handleMove(move(7));
  await settle();
  subscriber.reset();
  await clock.advance(LOOK_EVERY_MS);
  expect([made[0]?.closed, made[1]?.closed, told()]).toEqual([true, true, 0]);
});

/** As browsers do with what a connection was at when it was closed. */
const never = () => new Promise<never>(() => undefined);

it("a reset does not wait for an answer that never comes about", async () => {
  made[0]!.createAnswer = never;
  const left = subscriber.handleOffer({ ...first, version: 2 });
  await settle();
  subscriber.reset();
  await left;
  await subscriber.handleOffer(first);
  expect(made).toHaveLength(2);
  expect(sent.filter(({ type }) => type === "subscribe_answer")).toHaveLength(2);
  expect(tracks.at(-1)).toBe(made[1]?.track);
});

it("a move that is done does not wait for an answer of the connection that it leaves", async () => {
  made[0]!.createAnswer = never;
  void subscriber.handleOffer({ ...first, version: 2 });
  const moving = subscriber.handleMove(move(7));
  await settle();
  made[1]!.frames = 1;
  await clock.advance(LOOK_EVERY_MS);
  await moving;
  expect(made[0]?.closed).toBe(true);
  await subscriber.handleOffer({ ...first, version: 3 });
  expect(sent.at(-1)).toMatchObject({ type: "subscribe_answer", version: 3 });
});
