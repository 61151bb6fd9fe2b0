/** What the SDK takes from the browser, so that tests and fixtures can put their own world in its place. */

import type { MediaDevicesLike } from "./capture";
import { browserClock, type Clock } from "./clock";
import { openWebSocket, type SocketFactory } from "./connection/socket";
import { createPeerConnection, type PeerConnectionFactory, setPreferredCodec } from "./media/peerConnections";
import { type NetworkWatch, watchBrowserNetwork } from "./network";

export interface Dependencies {
  clock: Clock;
  openSocket: SocketFactory;
  createPeerConnection: PeerConnectionFactory;
  setPreferredCodec: (transceiver: RTCRtpTransceiver, mimeType: string) => void;
  mediaDevices: MediaDevicesLike | undefined;
  watchNetwork: NetworkWatch;
}

export function browserDependencies(): Dependencies {
  return {
    clock: browserClock,
    openSocket: openWebSocket,
    createPeerConnection,
    setPreferredCodec,
    mediaDevices: navigator.mediaDevices,
    watchNetwork: watchBrowserNetwork,
  };
}
