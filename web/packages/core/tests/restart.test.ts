import type { Joined, Snapshot } from "@rostrum/protocol";
import { beforeEach, describe, expect, it } from "vitest";
import { Client } from "../src/client";
import type { Invitation } from "../src/invitation";
import type { PeerConnectionOptions } from "../src/media/peerConnections";
import type { Meeting } from "../src/meeting";
import type { ClientOptions } from "../src/options";
import { FakePeerConnection, fakeTrack } from "./support/peerConnection";
import { FakeServer, joinedResult, ManualClock, peerInfo, settle, snapshotOf } from "./support/world";

let server: FakeServer;
let clock: ManualClock;
let meeting: Meeting;
let connections: FakePeerConnection[];
let asked: PeerConnectionOptions[];

const TOKEN = `e30.${btoa(JSON.stringify({ name: "Me" }))}.x`;
const camera = { publication_id: "pub_a", peer_id: "a", source: "camera", kind: "video", codec: "video/VP8" } as const;
const publication = { ...camera, encodings: 3, muted: false, muted_by: null, encrypted: false };

async function start(
  joined: Partial<Joined> = {},
  invitation?: Invitation,
  overrides: NonNullable<ClientOptions["overrides"]> = {},
  options: Partial<ClientOptions> = {},
): Promise<void> {
  server.joined = joinedResult(joined);
  meeting = await Client.init(
    {
      authToken: TOKEN,
      baseURI: "https://meet.example.org",
      defaults: { audio: false, video: false },
      invitation,
      overrides,
      ...options,
    },
    {
      clock,
      fetch: () => Promise.reject(new Error("nothing is fetched to join")),
      openSocket: server.open,
      createPeerConnection: (options) => {
        const made = new FakePeerConnection();
        connections.push(made);
        asked.push(options);
        return made as unknown as RTCPeerConnection;
      },
      setPreferredCodec: () => undefined,
      refuseCodec: () => undefined,
      mediaDevices: undefined,
      watchNetwork: () => () => undefined,
      watchElement: () => () => undefined,
    },
  );
}

function track(): MediaStreamTrack {
  const base = { addEventListener: () => undefined, removeEventListener: () => undefined, stop: () => undefined };
  return Object.assign(fakeTrack("video"), base, { readyState: "live", getSettings: () => ({ width: 1280 }) });
}

beforeEach(() => {
  server = new FakeServer();
  clock = new ManualClock();
  connections = [];
  asked = [];
  server.handlers["subscribe"] = (socket, request) => socket.answer(request, { subscriptions: [] });
  server.handlers["mute"] = (socket, request) => socket.answer(request);
  server.handlers["publish"] = (socket, request) => {
    const specs = request["publications"] as { mid: string; source: string }[];
    const publications = specs.map(({ mid, source }) => ({ mid, source, publication_id: `pub_${source}` }));
    socket.answer(request, { answer: "answer", publications });
  };
});

describe("a server that was started again", () => {
  async function restart(overrides: Partial<Snapshot>): Promise<void> {
    server.resumedSnapshot = snapshotOf(overrides);
    server.handlers["resume"] = (socket, request) =>
      socket.answer(request, {
        peer_id: "peer_me",
        session_id: "ses_1",
        resume_token: "second",
        replayed: 0,
        seq: 1000,
        snapshot: server.resumedSnapshot,
        ice_servers: [],
      });
    server.socket.drop();
    await clock.advance(1_000);
    await settle();
  }

  const other = { peers: [peerInfo("a")], publications: [publication] };

  it("leaves media and people as they were, and its events count from its own number", async () => {
    await start(other);
    await meeting.join();
    const before = meeting.participants.joined.get("a");
    await meeting.self.enableVideo(track());
    const made = connections.length;
    const own = { ...publication, publication_id: "pub_camera", peer_id: "peer_me" };
    await restart({ ...other, publications: [publication, own], subscriptions: ["pub_a"] });
    expect(meeting.self.roomState).toBe("joined");
    expect(meeting.participants.joined.get("a")).toBe(before);
    expect(connections.length).toBe(made);
    expect([server.requests("publish").length, server.requests("subscribe").length]).toEqual([1, 1]);
    server.socket.event(1001, { type: "peer_left", peer_id: "a", reason: "left" });
    expect(meeting.participants.joined.size).toBe(0);
  });

  it("is sent again what it has not got any more", async () => {
    await start();
    await meeting.join();
    await meeting.self.enableVideo(track());
    await restart({});
    expect(server.requests("publish")).toHaveLength(2);
    expect(meeting.self.videoEnabled).toBe(true);
  });

  it("gets new connections where the old ones are gone", async () => {
    await start(other);
    await meeting.join();
    await meeting.self.enableVideo(track());
    const made = connections.length;
    await restart({ ...other, publishes: false, subscribes: false });
    expect(connections.length).toBe(made + 1);
    expect(server.requests("subscribe")).toHaveLength(2);
  });

  it("hears again of a mute that went with the one before", async () => {
    await start();
    await meeting.join();
    await meeting.self.enableVideo(track());
    await meeting.self.disableVideo();
    const own = { ...publication, publication_id: "pub_camera", peer_id: "peer_me" };
    await restart({ publications: [own] });
    expect(server.requests("mute").map((one) => one["publication_id"])).toEqual(["pub_camera", "pub_camera"]);
  });

  it("may have muted one meanwhile", async () => {
    await start();
    await meeting.join();
    await meeting.self.enableVideo(track());
    const own = { ...publication, publication_id: "pub_camera", peer_id: "peer_me" };
    await restart({ publications: [{ ...own, muted: true, muted_by: "moderator" }] });
    expect(meeting.self.videoEnabled).toBe(false);
  });
});
