/** A meeting of the SDK against a server by hand, with fake connections and a clock that the test moves. */

import type { Joined } from "@rostrum/protocol";
import type { MediaDevicesLike } from "../../src/capture";
import { Client } from "../../src/client";
import type { Machine } from "../../src/hardware";
import type { Invitation } from "../../src/invitation";
import type { PeerConnectionOptions } from "../../src/media/peerConnections";
import type { Meeting } from "../../src/meeting";
import type { ClientOptions } from "../../src/options";
import { FakePeerConnection, fakeTrack } from "./peerConnection";
import { FakeServer, joinedResult, ManualClock } from "./world";

const TOKEN = `e30.${btoa(JSON.stringify({ name: "Me" }))}.x`;
const camera = {
  publication_id: "pub_a",
  peer_id: "a",
  source: "camera",
  kind: "video",
  codec: "video/VP8",
} as const;
export const publication = { ...camera, encodings: 3, muted: false, muted_by: null, encrypted: false };

export class MeetingWorld {
  readonly server = new FakeServer();
  readonly clock = new ManualClock();
  mediaDevices: MediaDevicesLike | undefined;
  machine: Machine = {};
  readonly connections: FakePeerConnection[] = [];
  /** What each connection was asked for with. */
  readonly asked: PeerConnectionOptions[] = [];

  constructor() {
    const { handlers } = this.server;
    handlers["subscribe"] = (socket, request) => socket.answer(request, { subscriptions: [] });
    handlers["mute"] = (socket, request) => socket.answer(request);
    handlers["publish"] = (socket, request) => {
      const specs = request["publications"] as { mid: string; source: string }[];
      const publications = specs.map(({ mid, source }) => ({ mid, source, publication_id: `pub_${source}` }));
      socket.answer(request, { answer: "answer", publications });
    };
  }

  /** The meeting before its join, which the server will answer with `joined`. */
  start(
    joined: Partial<Joined> = {},
    invitation?: Invitation,
    overrides: NonNullable<ClientOptions["overrides"]> = {},
    options: Partial<ClientOptions> = {},
  ): Promise<Meeting> {
    this.server.joined = joinedResult(joined);
    return Client.init(
      {
        authToken: TOKEN,
        baseURI: "https://meet.example.org",
        defaults: { audio: false, video: false },
        invitation,
        overrides,
        ...options,
      },
      {
        clock: this.clock,
        fetch: () => Promise.reject(new Error("nothing is fetched to join")),
        openSocket: this.server.open,
        createPeerConnection: (options) => {
          const made = new FakePeerConnection();
          this.connections.push(made);
          this.asked.push(options);
          return made as unknown as RTCPeerConnection;
        },
        setPreferredCodec: () => undefined,
        refuseCodec: () => undefined,
        mediaDevices: this.mediaDevices,
        machine: this.machine,
        watchNetwork: () => () => undefined,
        watchElement: () => () => undefined,
      },
    );
  }
}

export function cameraTrack(): MediaStreamTrack {
  const base = { addEventListener: () => undefined, removeEventListener: () => undefined, stop: () => undefined };
  return Object.assign(fakeTrack("video"), base, { readyState: "live", getSettings: () => ({ width: 1280 }) });
}
