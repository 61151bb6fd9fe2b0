/** How peer connections are made: one place for their configuration. */

import type { IceServer } from "@rostrum/protocol";
import { preferCodec } from "./encodings";

export interface PeerConnectionOptions {
  iceServers: IceServer[];
  forceRelay: boolean;
  /** For createEncodedStreams, the older way to frames; it takes part in every connection's making. */
  encodedStreams?: boolean;
}

export type PeerConnectionFactory = (options: PeerConnectionOptions) => RTCPeerConnection;

export function createPeerConnection(options: PeerConnectionOptions): RTCPeerConnection {
  const streams = options.encodedStreams === true ? { encodedInsertableStreams: true } : {};
  return new RTCPeerConnection({ ...configurationOf(options), ...streams });
}

export function configurationOf({ iceServers, forceRelay }: PeerConnectionOptions): RTCConfiguration {
  return {
    bundlePolicy: "max-bundle",
    rtcpMuxPolicy: "require",
    iceServers: iceServers.map(({ urls, username, credential }) => ({
      urls,
      ...(username == null ? {} : { username }),
      ...(credential == null ? {} : { credential }),
    })),
    iceTransportPolicy: forceRelay ? "relay" : "all",
  };
}

/** Puts a codec first in what the transceiver offers. Browsers without the call offer their own order. */
export function setPreferredCodec(transceiver: RTCRtpTransceiver, mimeType: string): void {
  const kind = mimeType.split("/")[0] ?? "video";
  const codecs = RTCRtpSender.getCapabilities(kind)?.codecs;
  if (codecs === undefined || typeof transceiver.setCodecPreferences !== "function") return;
  transceiver.setCodecPreferences(preferCodec(codecs, mimeType));
}

/** Leaves a codec out of what the transceiver answers to an offer. */
export function refuseCodec(transceiver: RTCRtpTransceiver, mimeType: string): void {
  const codecs = RTCRtpReceiver.getCapabilities(transceiver.receiver.track.kind)?.codecs;
  if (codecs === undefined || typeof transceiver.setCodecPreferences !== "function") return;
  const others = codecs.filter((codec) => codec.mimeType.toLowerCase() !== mimeType.toLowerCase());
  if (others.length < codecs.length) transceiver.setCodecPreferences(others);
}
