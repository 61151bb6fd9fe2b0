import type { StatsGiven } from "@rostrum/protocol";
import { describe, expect, it } from "vitest";
import type { Meeting } from "../src/meeting";
import { publishStats, subscribeStats } from "../src/stats";
import { cameraTrack, MeetingWorld, publication } from "./support/meetingWorld";
import { settle } from "./support/world";

type Report = Record<string, unknown> & { id: string; type: string };

/** A connection whose browser reports this. */
function connected(...reports: Report[]): RTCPeerConnection {
  const getStats = async () => new Map(reports.map((report) => [report.id, report]));
  return { connectionState: "connected", getStats } as unknown as RTCPeerConnection;
}

const PATH: Report[] = [
  { id: "T", type: "transport", selectedCandidatePairId: "P2" },
  { id: "P1", type: "candidate-pair", localCandidateId: "L1", currentRoundTripTime: 0.9 },
  {
    id: "P2",
    type: "candidate-pair",
    localCandidateId: "L2",
    currentRoundTripTime: 0.04,
    availableOutgoingBitrate: 1_200_000,
  },
  { id: "L1", type: "local-candidate", protocol: "tcp" },
  { id: "L2", type: "local-candidate", protocol: "udp" },
  { id: "C", type: "codec", mimeType: "video/VP8" },
];

/** What is told of a stream as the browser has it, and the same with what only the browser's report has. */
const SENT = {
  kind: "video",
  rid: "h",
  packetsSent: 10,
  bytesSent: 11_000,
  frameWidth: 1280,
  frameHeight: 720,
  framesPerSecond: 30,
};
const OUTBOUND: Report = {
  ...SENT,
  id: "O",
  type: "outbound-rtp",
  mid: "1",
  qualityLimitationReason: "cpu",
  codecId: "C",
};

const GOT = {
  kind: "video",
  packetsReceived: 90,
  packetsLost: 3,
  bytesReceived: 99_000,
  jitter: 0.002,
  framesDecoded: 30,
  frameWidth: 640,
  frameHeight: 360,
  framesPerSecond: 15,
  freezeCount: 2,
};
const INBOUND: Report = { ...GOT, id: "I", type: "inbound-rtp", trackIdentifier: "track", codecId: "C" };

describe("what the browser measured", () => {
  it("of what is sent, is named by its source, with the path that is in use", async () => {
    const pc = connected(...PATH, OUTBOUND, INBOUND);
    expect(await publishStats(pc, (mid) => (mid === "1" ? "camera" : null))).toEqual({
      state: "connected",
      roundTripTime: 0.04,
      availableOutgoingBitrate: 1_200_000,
      protocol: "udp",
      outbound: [{ ...SENT, source: "camera", qualityLimitation: "cpu", codec: "video/VP8" }],
    });
  });

  it("of what is received, is named by its publication", async () => {
    const pc = connected(...PATH, OUTBOUND, INBOUND);
    const { inbound, roundTripTime } = await subscribeStats(pc, (id) => (id === "track" ? "pub_a" : null));
    expect(roundTripTime).toBe(0.04);
    expect(inbound).toEqual([{ ...GOT, publicationId: "pub_a", totalAudioEnergy: null, codec: "video/VP8" }]);
  });

  it("may say less than there is to know", async () => {
    const bare = connected({ id: "O", type: "outbound-rtp", mid: "0", kind: "audio" });
    expect(await publishStats(bare, () => null)).toMatchObject({
      roundTripTime: null,
      protocol: null,
      outbound: [{ source: null, rid: null, packetsSent: 0, frameWidth: null, codec: null }],
    });
    const nothing = { state: "new", roundTripTime: null, availableOutgoingBitrate: null, protocol: null };
    expect(await publishStats(null, () => null)).toEqual({ ...nothing, outbound: [] });
    expect(await subscribeStats(null, () => null)).toEqual({ ...nothing, inbound: [] });
  });
});

describe("a meeting's statistics", () => {
  const stream = {
    publication_id: "pub_a",
    bitrate: 900_000,
    packet_rate: 100,
    frame_rate: 15,
    loss: 0.02,
    repaired: 7,
    jitter: 0.003,
    rtt: 0.05,
    layer: { spatial: 1, temporal: 2 },
    freezes: 1,
    frozen: 0.4,
    score: 3.9,
  };
  const given: StatsGiven = {
    estimate: 2_000_000,
    publications: [{ ...stream, publication_id: "pub_camera", layer: null, rtt: 0.07 }],
    subscriptions: [stream],
  };

  async function publishing(): Promise<{ world: MeetingWorld; meeting: Meeting }> {
    const world = new MeetingWorld();
    const meeting = await world.start({ publications: [publication] });
    await meeting.join();
    await meeting.self.enableVideo(cameraTrack());
    await settle();
    const browser = connected(...PATH, OUTBOUND);
    Object.assign(world.connections[0]!, { getStats: () => browser.getStats() });
    return { world, meeting };
  }

  it("are the server's figures beside the browser's, by the same publications", async () => {
    const { world, meeting } = await publishing();
    world.server.handlers["get_stats"] = (socket, request) => socket.answer(request, given);
    const { server, publish, subscribe } = await meeting.stats();
    expect(server).toEqual(given);
    expect(publish).toMatchObject({ roundTripTime: 0.04, outbound: [{ source: "camera", packetsSent: 10 }] });
    expect(subscribe.inbound).toEqual([]);
  });

  it("are the browser's alone where the server does not answer", async () => {
    const { world, meeting } = await publishing();
    world.server.handlers["get_stats"] = (socket, request) => socket.refuse(request, "RateLimited");
    const { server, publish } = await meeting.stats();
    expect(server).toBeNull();
    expect(publish.outbound).toHaveLength(1);
  });
});
