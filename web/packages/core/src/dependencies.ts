/** What the SDK takes from the browser, so that tests and fixtures can put their own world in its place. */

import type { MediaDevicesLike } from "./capture";
import { browserClock, type Clock } from "./clock";
import type { Machine } from "./hardware";
import { openWebSocket, type SocketFactory } from "./connection/socket";
import {
  createPeerConnection,
  type PeerConnectionFactory,
  refuseCodec,
  setPreferredCodec,
} from "./media/peerConnections";
import { type ElementWatch, watchBrowserElement } from "./media/elementWatch";
import { type NetworkWatch, watchBrowserNetwork } from "./network";

/** As the browser's own, with no more of it than is used. */
export type Fetch = (url: string, init: RequestInit) => Promise<Pick<Response, "json">>;

export interface Dependencies {
  clock: Clock;
  fetch: Fetch;
  openSocket: SocketFactory;
  createPeerConnection: PeerConnectionFactory;
  setPreferredCodec: (transceiver: RTCRtpTransceiver, mimeType: string) => void;
  refuseCodec: (transceiver: RTCRtpTransceiver, mimeType: string) => void;
  mediaDevices: MediaDevicesLike | undefined;
  machine: Machine;
  watchNetwork: NetworkWatch;
  watchElement: ElementWatch;
}

export function browserDependencies(): Dependencies {
  return {
    clock: browserClock,
    fetch: (url, init) => fetch(url, init),
    openSocket: openWebSocket,
    createPeerConnection,
    setPreferredCodec,
    refuseCodec,
    mediaDevices: navigator.mediaDevices,
    machine: navigator,
    watchNetwork: watchBrowserNetwork,
    watchElement: watchBrowserElement,
  };
}
