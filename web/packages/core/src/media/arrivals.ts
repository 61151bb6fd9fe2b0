/**
 * When a new receiving connection carries what the old one does: as many sounds and decoded videos as flow on the
 * old one. Both are asked; nothing is assumed of when.
 */

import type { Clock } from "../clock";

export const LOOK_EVERY_MS = 100;
export const GIVE_UP_AFTER_MS = 8_000;

interface Inbound {
  kind: string;
  packets: number;
  frames: number;
}

export class Arrivals {
  constructor(
    private readonly clock: Clock,
    private readonly old: RTCPeerConnection,
    private readonly next: RTCPeerConnection,
  ) {}

  /** True when all is there; false when it did not come, the connection failed, or it is not `wanted` any more. */
  async wait(wanted: () => boolean): Promise<boolean> {
    const until = this.clock.now() + GIVE_UP_AFTER_MS;
    let before = await inbound(this.old);
    while (this.clock.now() < until) {
      await new Promise<void>((resolve) => this.clock.setTimeout(resolve, LOOK_EVERY_MS));
      if (!wanted() || ["failed", "closed"].includes(this.next.connectionState)) return false;
      const now = await inbound(this.old);
      const flowing = [...now].filter(([id, { packets }]) => packets > (before.get(id)?.packets ?? 0));
      before = now;
      if (this.next.connectionState !== "connected") continue;
      const arrived = [...(await inbound(this.next)).values()].filter(isThere);
      const enough = (kind: string) =>
        arrived.filter((one) => one.kind === kind).length >= flowing.filter(([, one]) => one.kind === kind).length;
      if (arrived.length > 0 && enough("audio") && enough("video")) return true;
    }
    return false;
  }
}

/** It can be seen or heard. */
function isThere({ kind, packets, frames }: Inbound): boolean {
  return kind === "video" ? frames > 0 : packets > 0;
}

/** By the id of the statistics' entry. */
async function inbound(pc: RTCPeerConnection): Promise<Map<string, Inbound>> {
  const found = new Map<string, Inbound>();
  (await pc.getStats()).forEach((entry: RTCInboundRtpStreamStats) => {
    if (entry.type !== "inbound-rtp") return;
    const { id, kind, packetsReceived = 0, framesDecoded = 0 } = entry;
    found.set(id, { kind, packets: packetsReceived, frames: framesDecoded });
  });
  return found;
}
