/** A summary of `getStats()` of both connections, with publications in place of browser ids. */

import type { StatsGiven } from "@rostrum/protocol";

export interface OutboundStats {
  source: string | null;
  kind: string;
  rid: string | null;
  packetsSent: number;
  bytesSent: number;
  frameWidth: number | null;
  frameHeight: number | null;
  framesPerSecond: number | null;
  qualityLimitation: string | null;
  codec: string | null;
}

export interface InboundStats {
  publicationId: string | null;
  kind: string;
  packetsReceived: number;
  packetsLost: number;
  bytesReceived: number;
  /** Seconds. */
  jitter: number;
  framesDecoded: number | null;
  frameWidth: number | null;
  frameHeight: number | null;
  framesPerSecond: number | null;
  freezeCount: number | null;
  /** Sum of squared audio level times seconds, as WebRTC defines it. */
  totalAudioEnergy: number | null;
  codec: string | null;
}

export interface PathStats {
  state: RTCPeerConnectionState;
  /** Seconds, null before the first measurement. */
  roundTripTime: number | null;
  /** Bits per second, null where the browser does not say. */
  availableOutgoingBitrate: number | null;
  protocol: string | null;
}

export interface MeetingStats {
  /** How the server sees the own publications and subscriptions; null where it could not be asked. */
  server: StatsGiven | null;
  publish: PathStats & { outbound: OutboundStats[] };
  subscribe: PathStats & { inbound: InboundStats[] };
}

type Report = Record<string, unknown> & { id: string; type: string };

const EMPTY_PATH: PathStats = {
  state: "new",
  roundTripTime: null,
  availableOutgoingBitrate: null,
  protocol: null,
};

export async function publishStats(
  pc: RTCPeerConnection | null,
  sourceOfMid: (mid: string) => string | null,
): Promise<MeetingStats["publish"]> {
  if (pc === null) return { ...EMPTY_PATH, outbound: [] };
  const reports = await reportsOf(pc);
  const outbound = [...reports.values()]
    .filter((report) => report.type === "outbound-rtp")
    .map((report) => ({
      source: sourceOfMid(String(report["mid"])),
      kind: String(report["kind"]),
      rid: text(report["rid"]),
      packetsSent: count(report["packetsSent"]),
      bytesSent: count(report["bytesSent"]),
      frameWidth: number(report["frameWidth"]),
      frameHeight: number(report["frameHeight"]),
      framesPerSecond: number(report["framesPerSecond"]),
      qualityLimitation: text(report["qualityLimitationReason"]),
      codec: codecOf(report, reports),
    }));
  return { ...pathOf(pc, reports), outbound };
}

export async function subscribeStats(
  pc: RTCPeerConnection | null,
  publicationOfTrack: (trackId: string) => string | null,
): Promise<MeetingStats["subscribe"]> {
  if (pc === null) return { ...EMPTY_PATH, inbound: [] };
  const reports = await reportsOf(pc);
  const inbound = [...reports.values()]
    .filter((report) => report.type === "inbound-rtp")
    .map((report) => ({
      publicationId: publicationOfTrack(String(report["trackIdentifier"])),
      kind: String(report["kind"]),
      packetsReceived: count(report["packetsReceived"]),
      packetsLost: count(report["packetsLost"]),
      bytesReceived: count(report["bytesReceived"]),
      jitter: count(report["jitter"]),
      framesDecoded: number(report["framesDecoded"]),
      frameWidth: number(report["frameWidth"]),
      frameHeight: number(report["frameHeight"]),
      framesPerSecond: number(report["framesPerSecond"]),
      freezeCount: number(report["freezeCount"]),
      totalAudioEnergy: number(report["totalAudioEnergy"]),
      codec: codecOf(report, reports),
    }));
  return { ...pathOf(pc, reports), inbound };
}

async function reportsOf(pc: RTCPeerConnection): Promise<Map<string, Report>> {
  const reports = new Map<string, Report>();
  (await pc.getStats()).forEach((report: Report) => reports.set(report.id, report));
  return reports;
}

function pathOf(pc: RTCPeerConnection, reports: Map<string, Report>): PathStats {
  const transport = [...reports.values()].find((report) => report.type === "transport");
  const pair = reports.get(String(transport?.["selectedCandidatePairId"]));
  const local = reports.get(String(pair?.["localCandidateId"]));
  return {
    state: pc.connectionState,
    roundTripTime: number(pair?.["currentRoundTripTime"]),
    availableOutgoingBitrate: number(pair?.["availableOutgoingBitrate"]),
    protocol: text(local?.["protocol"]),
  };
}

function codecOf(report: Report, reports: Map<string, Report>): string | null {
  return text(reports.get(String(report["codecId"]))?.["mimeType"]);
}

function number(value: unknown): number | null {
  return typeof value === "number" ? value : null;
}

function count(value: unknown): number {
  return number(value) ?? 0;
}

function text(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}
