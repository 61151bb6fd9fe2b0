/**
 * Sets how long the media of a receiving connection waits (`jitterBufferTarget`), from what its statistics tell of
 * losses. Voices wait as long as the picture they belong to, which is what came in one stream with them; those without
 * a picture do not wait. Browsers that cannot be told so are left alone.
 */

import type { Clock, TimerId } from "../clock";
import { type Arrived, PlayoutDelay } from "./playoutDelay";

export const LOOK_EVERY_MS = 1_000;

type Entry = RTCInboundRtpStreamStats & RTCTransportStats & RTCIceCandidatePairStats & { nominated?: boolean };

export class PlayoutWatch {
  private readonly delay = new PlayoutDelay();
  private readonly streams = new WeakMap<RTCRtpReceiver, readonly MediaStream[]>();
  private timer: TimerId | null = null;

  /** `connection` is the one in use. */
  constructor(
    private readonly clock: Clock,
    private readonly connection: () => RTCPeerConnection | null,
  ) {}

  /** To be called with each connection before anything comes over it. */
  follow(pc: RTCPeerConnection): void {
    pc.addEventListener("track", ({ receiver, streams }) => this.streams.set(receiver, streams));
    if (this.timer === null) this.schedule();
  }

  stop(): void {
    if (this.timer !== null) this.clock.clearTimeout(this.timer);
    this.timer = null;
  }

  private schedule(): void {
    this.timer = this.clock.setTimeout(() => void this.look(), LOOK_EVERY_MS);
  }

  private async look(): Promise<void> {
    const timer = this.timer;
    const pc = this.connection();
    const receivers = (pc?.getReceivers() ?? []).filter(canWait);
    const arrived = pc === null || receivers.length === 0 ? null : await arrivedOver(pc).catch(() => null);
    if (this.timer !== timer) return;
    this.schedule();
    if (arrived === null || pc !== this.connection()) return;
    const delay = this.delay.look(arrived, this.clock.now());
    for (const receiver of receivers) {
      const target = delay > 0 && this.isPictured(receiver) ? delay : null;
      if (receiver.jitterBufferTarget !== target) receiver.jitterBufferTarget = target;
    }
  }

  /** Whether it is a picture, or belongs to one. */
  private isPictured(receiver: RTCRtpReceiver): boolean {
    if (receiver.track.kind === "video") return true;
    const streams = this.streams.get(receiver) ?? [];
    return streams.some((stream) => stream.getVideoTracks().length > 0);
  }
}

/** The same for a connection of one's own, a player's by WHEP for example. Returns what ends it. */
export function keepPlayoutDelay(pc: RTCPeerConnection, clock: Clock): () => void {
  const watch = new PlayoutWatch(clock, () => pc);
  watch.follow(pc);
  return () => watch.stop();
}

function canWait(receiver: RTCRtpReceiver): boolean {
  return "jitterBufferTarget" in receiver;
}

async function arrivedOver(pc: RTCPeerConnection): Promise<Arrived> {
  const arrived: Arrived = { received: 0, lost: 0, requests: 0, roundTrip: null };
  (await pc.getStats()).forEach((entry: Entry) => {
    if (entry.type === "inbound-rtp" && entry.kind === "video") {
      arrived.received += entry.packetsReceived ?? 0;
      arrived.lost += entry.packetsLost ?? 0;
      arrived.requests += entry.nackCount ?? 0;
    } else if (isInUse(entry) && entry.currentRoundTripTime !== undefined) {
      arrived.roundTrip = 1_000 * entry.currentRoundTripTime;
    }
  });
  return arrived;
}

function isInUse(entry: Entry): boolean {
  return entry.type === "candidate-pair" && entry.nominated === true && entry.state === "succeeded";
}
