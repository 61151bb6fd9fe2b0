import { describe, expect, it } from "vitest";
import { keepPlayoutDelay, LOOK_EVERY_MS } from "../src/media/playoutWatch";
import { ManualClock } from "./support/world";

interface FakeReceiver {
  track: { kind: string };
  jitterBufferTarget?: number | null;
}

/** A connection over which a fifth of a hundred packets a second is lost. */
class LossyConnection {
  readonly receivers: FakeReceiver[] = [];
  asked = 0;
  loss = 0.2;
  private lost = 0;
  private received = 0;
  private tell: (event: object) => void = () => undefined;

  addEventListener(_name: string, listener: (event: object) => void): void {
    this.tell = listener;
  }

  /** One stream with a track of each of these kinds. */
  add(kinds: string[], { canWait = true } = {}): FakeReceiver[] {
    const tracks = kinds.map((kind) => ({ kind }));
    const stream = { getVideoTracks: () => tracks.filter(({ kind }) => kind === "video") };
    const added = tracks.map((track): FakeReceiver => ({ track, ...(canWait ? { jitterBufferTarget: null } : {}) }));
    this.receivers.push(...added);
    for (const receiver of added) this.tell({ receiver, streams: [stream] });
    return added;
  }

  getReceivers(): FakeReceiver[] {
    return this.receivers;
  }

  async getStats(): Promise<Map<string, object>> {
    this.asked++;
    this.lost += 100 * this.loss;
    this.received += 100 * (1 - this.loss);
    const counts = { packetsReceived: this.received, packetsLost: this.lost, nackCount: this.lost };
    return new Map<string, object>([
      ["video", { type: "inbound-rtp", kind: "video", ...counts }],
      ["audio", { type: "inbound-rtp", kind: "audio", packetsReceived: 5 * this.received, packetsLost: 0 }],
      ["pair", { type: "candidate-pair", nominated: true, state: "succeeded", currentRoundTripTime: 0.04 }],
      ["other", { type: "candidate-pair", nominated: false, state: "succeeded", currentRoundTripTime: 4 }],
    ]);
  }
}

function keeping(): { pc: LossyConnection; clock: ManualClock; stop: () => void } {
  const pc = new LossyConnection();
  const clock = new ManualClock();
  return { pc, clock, stop: keepPlayoutDelay(pc as unknown as RTCPeerConnection, clock) };
}

describe("a connection that loses packets", () => {
  it("lets pictures wait, and the voices that belong to them, but no other voice", async () => {
    const { pc, clock, stop } = keeping();
    const receivers = [...pc.add(["video", "audio"]), ...pc.add(["audio"])];
    await clock.advance(2 * LOOK_EVERY_MS);
    expect(receivers.map(({ jitterBufferTarget }) => jitterBufferTarget)).toEqual([340, 340, null]);
    stop();
  });

  it("lets what comes later wait as well", async () => {
    const { pc, clock, stop } = keeping();
    pc.add(["video"]);
    await clock.advance(5 * LOOK_EVERY_MS);
    const [later] = pc.add(["video"]);
    await clock.advance(LOOK_EVERY_MS);
    expect(later?.jitterBufferTarget).toBe(340);
    stop();
  });

  it("is left to the browser again when it loses nothing any more", async () => {
    const { pc, clock, stop } = keeping();
    const [picture] = pc.add(["video"]);
    await clock.advance(3 * LOOK_EVERY_MS);
    pc.loss = 0;
    await clock.advance(60 * LOOK_EVERY_MS);
    expect(picture?.jitterBufferTarget).toBeNull();
    stop();
  });

  it("is not even asked where the browser cannot wait", async () => {
    const { pc, clock, stop } = keeping();
    const [picture] = pc.add(["video"], { canWait: false });
    await clock.advance(5 * LOOK_EVERY_MS);
    expect([pc.asked, picture]).toEqual([0, { track: { kind: "video" } }]);
    stop();
  });

  it("is not looked at after the end", async () => {
    const { pc, clock, stop } = keeping();
    const [picture] = pc.add(["video"]);
    stop();
    await clock.advance(5 * LOOK_EVERY_MS);
    expect([pc.asked, picture?.jitterBufferTarget]).toEqual([0, null]);
  });
});
