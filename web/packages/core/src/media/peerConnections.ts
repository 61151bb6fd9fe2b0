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
  if (DESCRIBED.includes(mimeType.toLowerCase())) offerDescriptor(transceiver);
}

/** Codecs whose layers the server can only tell by the dependency descriptor. */
const DESCRIBED = ["video/av1", "video/h264", "video/h265"];
const DESCRIPTOR = "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension";

interface HeaderExtension {
  uri: string;
  direction: RTCRtpTransceiverDirection;
}

interface ExtensibleTransceiver {
  getHeaderExtensionsToNegotiate?: () => HeaderExtension[];
  setHeaderExtensionsToNegotiate?: (extensions: HeaderExtension[]) => void;
}

/** Browsers know the dependency descriptor, but do not offer it of their own accord. */
function offerDescriptor(transceiver: RTCRtpTransceiver): void {
  const extensible = transceiver as ExtensibleTransceiver;
  const extensions = extensible.getHeaderExtensionsToNegotiate?.();
  if (extensions === undefined) return;
  const descriptor = extensions.find(({ uri }) => uri === DESCRIPTOR);
  if (descriptor === undefined || descriptor.direction === "sendrecv") return;
  descriptor.direction = "sendrecv";
  extensible.setHeaderExtensionsToNegotiate?.(extensions);
}

/** Leaves a codec out of what the transceiver answers to an offer. */
export function refuseCodec(transceiver: RTCRtpTransceiver, mimeType: string): void {
  const codecs = RTCRtpReceiver.getCapabilities(transceiver.receiver.track.kind)?.codecs;
  if (codecs === undefined || typeof transceiver.setCodecPreferences !== "function") return;
  const others = codecs.filter((codec) => codec.mimeType.toLowerCase() !== mimeType.toLowerCase());
  if (others.length < codecs.length) transceiver.setCodecPreferences(others);
}
