import type { Snapshot } from "@rostrum/protocol";
import { beforeEach, describe, expect, it } from "vitest";
import type { Meeting } from "../src/meeting";
import { cameraTrack, MeetingWorld, publication } from "./support/meetingWorld";
import type { FakePeerConnection } from "./support/peerConnection";
import { type FakeServer, type ManualClock, peerInfo, settle, snapshotOf } from "./support/world";

let world: MeetingWorld;
let server: FakeServer;
let clock: ManualClock;
let meeting: Meeting;
let connections: FakePeerConnection[];

async function start(...how: Parameters<MeetingWorld["start"]>): Promise<void> {
  meeting = await world.start(...how);
}

beforeEach(() => {
  world = new MeetingWorld();
  ({ server, clock, connections } = world);
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
    await meeting.self.enableVideo(cameraTrack());
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
    await meeting.self.enableVideo(cameraTrack());
    await restart({});
    expect(server.requests("publish")).toHaveLength(2);
    expect(meeting.self.videoEnabled).toBe(true);
  });

  it("gets new connections where the old ones are gone", async () => {
    await start(other);
    await meeting.join();
    await meeting.self.enableVideo(cameraTrack());
    const made = connections.length;
    await restart({ ...other, publishes: false, subscribes: false });
    expect(connections.length).toBe(made + 1);
    expect(server.requests("subscribe")).toHaveLength(2);
  });

  it("hears again of a mute that went with the one before", async () => {
    await start();
    await meeting.join();
    await meeting.self.enableVideo(cameraTrack());
    await meeting.self.disableVideo();
    const own = { ...publication, publication_id: "pub_camera", peer_id: "peer_me" };
    await restart({ publications: [own] });
    expect(server.requests("mute").map((one) => one["publication_id"])).toEqual(["pub_camera", "pub_camera"]);
  });

  it("may have muted one meanwhile", async () => {
    await start();
    await meeting.join();
    await meeting.self.enableVideo(cameraTrack());
    const own = { ...publication, publication_id: "pub_camera", peer_id: "peer_me" };
    await restart({ publications: [{ ...own, muted: true, muted_by: "moderator" }] });
    expect(meeting.self.videoEnabled).toBe(false);
  });
});
