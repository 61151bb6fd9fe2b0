import type { AnyEvent, Waiting, WaitingPeerInfo } from "@rostrum/protocol";
import { beforeEach, describe, expect, it } from "vitest";
import type { Meeting } from "../src/meeting";
import { cameraTrack, MeetingWorld } from "./support/meetingWorld";
import { joinedResult, settle } from "./support/world";

let world: MeetingWorld;
let meeting: Meeting;
let heard: string[];

function waitingInfo(id: string, overrides: Partial<WaitingPeerInfo> = {}): WaitingPeerInfo {
  const who = { peer_id: id, participant_id: `pt_${id}`, custom_participant_id: null, name: `Name of ${id}`, picture: null };
  return { ...who, since: "2026-01-01T00:00:00Z", ...overrides };
}

function waitingResult(): Waiting {
  const { meeting: about, ui } = joinedResult();
  return { me: waitingInfo("peer_me", { name: "Me" }), peer_id: "peer_me", seq: 0, meeting: about, ui };
}

const admitted = (seq: number): AnyEvent => ({ type: "admitted", joined: joinedResult({ seq, resume_token: "mine" }) });

beforeEach(async () => {
  world = new MeetingWorld();
  meeting = await world.start();
  heard = [];
  meeting.self.on("waitlisted", () => heard.push("waitlisted"));
  meeting.self.on("roomJoined", ({ reconnected }) => heard.push(`joined ${reconnected}`));
  meeting.self.on("roomLeft", ({ state }) => heard.push(`left ${state}`));
});

function letWait(): void {
  world.server.handlers["join"] = (socket, request) => socket.answer(request, waitingResult());
}

describe("waiting to be admitted", () => {
  beforeEach(letWait);

  it("is no join, keeps the camera on and sends nothing", async () => {
    await meeting.self.enableVideo(cameraTrack());
    await meeting.join();
    expect([meeting.self.roomState, meeting.self.waitlistStatus]).toEqual(["waitlisted", "waiting"]);
    expect([meeting.meta.meetingTitle, meeting.self.name]).toEqual(["A meeting", "Me"]);
    expect([meeting.self.videoEnabled, world.connections.length]).toEqual([true, 0]);
    expect(heard).toEqual(["waitlisted"]);
    await meeting.join();
    expect(world.server.requests("join")).toHaveLength(1);
  });

  it("ends with the ordinary welcome, which sends what is turned on and can be resumed", async () => {
    await meeting.self.enableVideo(cameraTrack());
    await meeting.join();
    world.server.socket.event(1, admitted(1));
    await settle();
    expect([meeting.self.roomState, meeting.self.waitlistStatus]).toEqual(["joined", "accepted"]);
    expect(heard).toEqual(["waitlisted", "joined false"]);
    expect(world.server.requests("publish")).toMatchObject([{ publications: [{ source: "camera" }] }]);
    world.server.socket.drop();
    await world.clock.advance(1_000);
    expect(world.server.requests("resume")).toMatchObject([{ resume_token: "mine", last_seq: 1 }]);
  });

  it("may end with a refusal, and nobody comes back", async () => {
    await meeting.join();
    world.server.socket.event(1, { type: "session_left", reason: "rejected" });
    world.server.socket.drop();
    await world.clock.advance(60_000);
    expect([meeting.self.roomState, meeting.self.waitlistStatus]).toEqual(["rejected", "rejected"]);
    expect(heard).toEqual(["waitlisted", "left rejected"]);
    expect(world.server.sockets).toHaveLength(1);
  });

  it("goes on over another socket, and is over where one may come in by then", async () => {
    await meeting.join();
    world.server.socket.drop();
    await world.clock.advance(1_000);
    expect([heard, meeting.self.roomState]).toEqual([["waitlisted", "waitlisted"], "waitlisted"]);
    world.server.handlers["join"] = (socket, request) => socket.answer(request, joinedResult());
    world.server.socket.drop();
    await world.clock.advance(1_000);
    expect(heard).toEqual(["waitlisted", "waitlisted", "joined false"]);
    expect(world.server.requests("resume")).toHaveLength(0);
  });

  it("is tried again where the room is full for a while, and given up at last", async () => {
    await meeting.join();
    world.server.handlers["join"] = (socket, request) => socket.refuse(request, "WaitingRoomFull", 9478, { retry_after: 1 });
    world.server.socket.drop();
    await world.clock.advance(5_000);
    expect(world.server.requests("join").length).toBeGreaterThan(2);
    await world.clock.advance(300_000);
    expect([meeting.self.roomState, meeting.self.waitlistStatus]).toEqual(["failed", "none"]);
  });

  it("can be given up", async () => {
    await meeting.join();
    await meeting.leave();
    expect(world.server.requests("leave")).toHaveLength(1);
    expect([meeting.self.roomState, meeting.self.waitlistStatus]).toEqual(["left", "none"]);
  });
});

describe("who was in and comes back to a waiting room", () => {
  it("has nobody around any more, and is in again once admitted", async () => {
    await meeting.join();
    letWait();
    world.server.handlers["resume"] = (socket, request) => socket.refuse(request, "ResumeRefused", 9410);
    world.server.socket.event(1, { type: "peer_waiting", peer: waitingInfo("b") });
    world.server.socket.drop();
    await world.clock.advance(1_000);
    expect([meeting.self.roomState, meeting.participants.waitlisted.size]).toEqual(["waitlisted", 0]);
    world.server.socket.event(1, admitted(1));
    expect(heard).toEqual(["joined false", "waitlisted", "joined true"]);
  });
});

describe("those who wait", () => {
  let list: string[];

  beforeEach(async () => {
    meeting = await world.start({ waiting: [waitingInfo("a")] });
    list = [];
    const { waitlisted } = meeting.participants;
    waitlisted.on("participantJoined", ({ id }) => list.push(`+${id}`));
    waitlisted.on("participantLeft", ({ id }, reason) => list.push(`-${id} ${reason}`));
    waitlisted.on("participantsCleared", () => list.push("cleared"));
    await meeting.join();
  });

  it("are known from the join on, and followed", () => {
    const { waitlisted } = meeting.participants;
    world.server.socket.event(1, { type: "peer_waiting", peer: waitingInfo("b") });
    world.server.socket.event(2, { type: "peer_waiting", peer: waitingInfo("b", { name: "Bea" }) });
    world.server.socket.event(3, { type: "peer_waiting_ended", peer_id: "a", reason: "admitted" });
    expect(list).toEqual(["+a", "+b", "-a admitted"]);
    expect(waitlisted.toArray()).toMatchObject([{ id: "b", userId: "pt_b", name: "Bea" }]);
    world.server.socket.event(4, { type: "waiting_list", waiting: [] });
    expect([list.at(-1), waitlisted.size]).toEqual(["cleared", 0]);
  });

  it("are admitted and turned away by either of their ids, or all of them", async () => {
    const { participants } = meeting;
    const ok = (peerId: string) => ({ peer_id: peerId, ok: true, error: null });
    const full = { code: 9471, name: "MeetingFull", message: "full" };
    world.server.handlers["admit"] = (socket, request) => socket.answer(request, { peers: [ok("a")] });
    world.server.handlers["deny"] = (socket, request) => socket.answer(request, { peers: [ok("a")] });
    await participants.acceptWaitingRoomRequest("pt_a");
    await participants.acceptAllWaitingRoomRequest();
    await participants.rejectWaitingRoomRequest("a");
    expect(world.server.requests("admit")).toMatchObject([{ peer_ids: ["a"] }, { all: true }]);
    expect(world.server.requests("deny")).toMatchObject([{ peer_ids: ["a"] }]);
    world.server.handlers["admit"] = (socket, request) =>
      socket.answer(request, { peers: [{ peer_id: "a", ok: false, error: full }] });
    await expect(participants.acceptWaitingRoomRequest("a")).rejects.toMatchObject({ name: "MeetingFull" });
  });
});
