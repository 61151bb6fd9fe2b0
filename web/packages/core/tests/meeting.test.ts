import type { IceServer } from "@rostrum/protocol";
import { beforeEach, describe, expect, it } from "vitest";
import type { Invitation } from "../src/invitation";
import type { PeerConnectionOptions } from "../src/media/peerConnections";
import type { Meeting } from "../src/meeting";
import { cameraTrack, MeetingWorld, publication } from "./support/meetingWorld";
import type { FakePeerConnection } from "./support/peerConnection";
import { type FakeServer, joinedResult, type ManualClock, peerInfo, settle, stageInfo } from "./support/world";

let world: MeetingWorld;
let server: FakeServer;
let clock: ManualClock;
let meeting: Meeting;
let seq: number;
let connections: FakePeerConnection[];
let asked: PeerConnectionOptions[];

const canRequest = { can_produce: "CAN_REQUEST" };

async function start(...how: Parameters<MeetingWorld["start"]>): Promise<void> {
  meeting = await world.start(...how);
}

function push(event: Parameters<typeof server.socket.event>[1]): void {
  server.socket.event(++seq, event);
}

beforeEach(() => {
  world = new MeetingWorld();
  ({ server, clock, connections, asked } = world);
  seq = 0;
});

describe("before the join", () => {
  it("what the invitation says is known", async () => {
    await start({}, { participant: { name: "Ada", picture: null }, meeting: { title: "Weekly" } } as Invitation);
    expect([meeting.self.name, meeting.meta.meetingTitle]).toEqual(["Ada", "Weekly"]);
    await meeting.join();
    expect(server.requests("join")[0]).toMatchObject({ name: null });
  });

  it("without one the server's word is waited for", async () => {
    await start();
    expect([meeting.self.name, meeting.meta.meetingTitle]).toEqual(["Me", null]);
  });
});

describe("a join", () => {
  it("brings the roster with what everyone sends, and subscribes to it", async () => {
    await start({ peers: [peerInfo("a"), peerInfo("b")], publications: [publication] });
    await meeting.join();
    expect(meeting.self.roomState).toBe("joined");
    expect(meeting.participants.joined.toArray().map(({ id, videoEnabled }) => [id, videoEnabled])).toEqual([
      ["a", true],
      ["b", false],
    ]);
    expect(server.requests("subscribe")[0]).toMatchObject({ subscriptions: [{ publication_id: "pub_a" }] });
  });

  it("publishes what was turned on before", async () => {
    await start();
    await meeting.self.enableVideo(cameraTrack());
    expect(server.requests("publish")).toHaveLength(0);
    await meeting.join();
    expect(server.requests("publish")[0]).toMatchObject({ publications: [{ source: "camera" }] });
  });

  it("of a viewer turns off what was turned on before, and publishes nothing", async () => {
    await start({ stage: stageInfo() });
    await meeting.self.enableVideo(cameraTrack());
    await meeting.join();
    expect(meeting.self.videoEnabled).toBe(false);
    expect(server.requests("publish")).toHaveLength(0);
  });

  it("that is refused leaves the meeting as it was", async () => {
    await start();
    server.handlers["join"] = (socket, request) => socket.refuse(request, "MeetingInactive", 4);
    await expect(meeting.join()).rejects.toMatchObject({ name: "MeetingInactive" });
    expect(meeting.self.roomState).toBe("init");
  });
});

describe("what the server refuses", () => {
  it("is off again when the caller hears of it", async () => {
    await start({ stage: stageInfo() });
    await meeting.join();
    server.handlers["publish"] = (socket, request) => socket.refuse(request, "PermissionDenied");
    await expect(meeting.self.enableVideo(cameraTrack())).rejects.toMatchObject({ name: "PermissionDenied", code: 2001 });
    expect(meeting.self.videoEnabled).toBe(false);
  });
});

describe("the stage", () => {
  const staged = { stage: stageInfo(), permissions: { media: { audio: canRequest, video: canRequest, screenshare: canRequest } } };

  it("lets an accepted viewer look first, and publishes at the join", async () => {
    await start(staged);
    await meeting.join();
    const accepted = { peer_id: "peer_me", status: "ACCEPTED_TO_JOIN_STAGE", previous: "OFF_STAGE" } as const;
    push({ type: "stage_status", ...accepted, action: "grant", by: "host" });
    await meeting.self.enableVideo(cameraTrack());
    expect(server.requests("publish")).toHaveLength(0);
    server.handlers["stage_join"] = (socket, request) => socket.answer(request, { status: "ON_STAGE", peers: [] });
    await meeting.stage.join();
    await settle();
    expect(server.requests("publish")).toMatchObject([{ publications: [{ source: "camera" }] }]);
  });

  it("that one is removed from stops everything", async () => {
    await start({ stage: stageInfo({ status: "ON_STAGE", access: "ALLOWED" }) });
    await meeting.self.enableVideo(cameraTrack());
    await meeting.join();
    const removed = { peer_id: "peer_me", status: "OFF_STAGE", previous: "ON_STAGE" } as const;
    push({ type: "stage_status", ...removed, action: "kick", by: "host" });
    await settle();
    expect(meeting.self.videoEnabled).toBe(false);
    expect(meeting.self.stageStatus).toBe("OFF_STAGE");
  });
});

describe("others", () => {
  it("are announced when they come, change and go", async () => {
    await start();
    await meeting.join();
    const heard: string[] = [];
    const { joined } = meeting.participants;
    joined.on("participantJoined", ({ id }) => heard.push(`${id} joined`));
    joined.on("videoUpdate", ({ id }, { videoEnabled }) => heard.push(`${id} video ${videoEnabled}`));
    joined.on("participantLeft", ({ id }, reason) => heard.push(`${id} ${reason}`));
    push({ type: "peer_joined", peer: peerInfo("a") });
    push({ type: "publication_added", publication });
    push({ type: "publication_updated", publication: { ...publication, muted: true, muted_by: "owner" } });
    push({ type: "peer_left", peer_id: "a", reason: "kicked" });
    expect(heard).toEqual(["a joined", "a video true", "a video false", "a kicked"]);
    expect(joined.size).toBe(0);
  });

  it("who mute us turn our source off and say so", async () => {
    await start();
    await meeting.self.enableVideo(cameraTrack());
    await meeting.join();
    const moderated: string[] = [];
    meeting.self.on("moderated", ({ source, action }) => moderated.push(`${source} ${action}`));
    const own = { ...publication, publication_id: "pub_camera", peer_id: "peer_me" };
    push({ type: "publication_updated", publication: { ...own, muted: true, muted_by: "moderator" } });
    expect(meeting.self.videoEnabled).toBe(false);
    expect(moderated).toEqual(["camera muted"]);
  });

  it("may act on what we publish before we have applied the answer", async () => {
    await start();
    await meeting.join();
    const moderated: string[] = [];
    meeting.self.on("moderated", ({ source, action }) => moderated.push(`${source} ${action}`));
    const own = { ...publication, publication_id: "pub_camera", peer_id: "peer_me" };
    const publish = server.handlers["publish"];
    const muted = { ...own, muted: true, muted_by: "moderator" } as const;
    server.handlers["publish"] = (socket, request) => {
      publish?.(socket, request);
      push({ type: "publication_updated", publication: muted });
    };
    await meeting.self.enableVideo(cameraTrack());
    await settle();
    expect(meeting.self.videoEnabled).toBe(false);
    server.handlers["publish"] = (socket, request) => {
      publish?.(socket, request);
      push({ type: "publication_removed", publication_id: "pub_screen", peer_id: "peer_me", reason: "permission_revoked" });
    };
    await meeting.self.enableScreenShare({ video: cameraTrack() });
    await settle();
    expect(meeting.self.screenShareEnabled).toBe(false);
    expect(moderated).toEqual(["camera muted", "screen revoked"]);
  });

  it("are found speaking, loudest first", async () => {
    await start({ peers: [peerInfo("a")] });
    await meeting.join();
    const active: string[] = [];
    meeting.participants.on("activeSpeaker", ({ peerId }) => active.push(peerId));
    const speakers = [{ peer_id: "a", publication_id: "pub_a", level: 0 }];
    push({ type: "speakers", speakers, active: "a" });
    push({ type: "speakers", speakers, active: "a" });
    expect(meeting.participants.speakers).toEqual([{ peerId: "a", publicationId: "pub_a", volume: 1 }]);
    expect(active).toEqual(["a"]);
    expect(meeting.participants.lastActiveSpeaker).toBe("a");
  });
});

describe("a publication that is encrypted", () => {
  const sealed = { ...publication, encrypted: true };

  it("says that it takes the passphrase, and is not asked for", async () => {
    await start({ peers: [peerInfo("a"), peerInfo("b")], publications: [sealed] });
    await meeting.join();
    const { joined } = meeting.participants;
    expect(joined.get("a")?.publicationOf("camera")?.encryptionProblem).toBe("no_passphrase");
    push({ type: "publication_added", publication: { ...publication, publication_id: "pub_b", peer_id: "b" } });
    await settle();
    expect(joined.get("b")?.publicationOf("camera")?.encryptionProblem).toBeNull();
    expect(server.requests("subscribe").map(({ subscriptions }) => subscriptions)).toEqual([
      [{ publication_id: "pub_b" }],
    ]);
  });

  it("that fails to open says so, until it does open", async () => {
    await start({ peers: [peerInfo("a")], publications: [publication] });
    await meeting.join();
    const heard: unknown[] = [];
    meeting.participants.joined.on("encryptionUpdate", ({ id }, { problem }) => heard.push([id, problem]));
    for (const problem of ["wrong_passphrase", "wrong_passphrase", null] as const) {
      meeting.participants.handleEncryption("pub_a", problem);
    }
    expect(heard).toEqual([["a", "wrong_passphrase"], ["a", null]]);
  });
});

describe("a page that awaits its view", () => {
  it("receives nothing before, and says the view again where the server begins anew", async () => {
    await start({ peers: [peerInfo("a")], publications: [publication] }, undefined, {}, { awaitView: true });
    server.handlers["set_view"] = (socket, request) => socket.answer(request);
    await meeting.join();
    expect([server.requests("subscribe"), server.requests("set_view")]).toEqual([[], []]);
    await meeting.participants.setView({ mode: "page", peerIds: ["a"] });
    push({ type: "media_reset", reason: "node_lost" });
    await settle();
    expect(server.requests("set_view")).toHaveLength(2);
    expect(server.requests("set_view")[1]).toMatchObject({ mode: "page", peer_ids: ["a"], encrypted: false });
    expect(server.requests("subscribe")).toEqual([]);
  });
});

describe("another token", () => {
  const updates = () => server.requests("update_token").map(({ token }) => token);

  it("is told to the server, and joined with from then on", async () => {
    await start();
    await meeting.join();
    server.handlers["update_token"] = (socket, request) => socket.answer(request);
    await meeting.updateToken("another");
    server.handlers["resume"] = (socket, request) => socket.refuse(request, "ResumeRefused", 9410);
    server.socket.drop();
    await clock.advance(1_000);
    expect(updates()).toEqual(["another"]);
    expect(server.requests("join").map(({ token }) => token)[1]).toBe("another");
  });

  it("that the server refuses leaves the present one", async () => {
    await start();
    await meeting.join();
    server.handlers["update_token"] = (socket, request) => socket.refuse(request, "InvalidToken", 4);
    await expect(meeting.updateToken("bad")).rejects.toMatchObject({ name: "InvalidToken" });
    server.handlers["resume"] = (socket, request) => socket.refuse(request, "ResumeRefused", 9410);
    server.socket.drop();
    await clock.advance(1_000);
    expect(server.requests("join").map(({ token }) => token)[1]).not.toBe("bad");
  });

  it("that did not come in time ends the meeting as failed", async () => {
    await start();
    await meeting.join();
    push({ type: "session_left", reason: "timed_out" });
    expect(meeting.self.roomState).toBe("failed");
  });
});

describe("a lost connection", () => {
  it("that is resumed keeps everything", async () => {
    await start({ peers: [peerInfo("a")] });
    await meeting.self.enableVideo(cameraTrack());
    await meeting.join();
    server.socket.drop();
    expect(meeting.self.roomState).toBe("disconnected");
    await clock.advance(1_000);
    expect(meeting.self.roomState).toBe("joined");
    expect(meeting.participants.joined.size).toBe(1);
    expect(server.requests("publish")).toHaveLength(1);
  });

  it("that is not resumed is joined afresh, and what was on is published again", async () => {
    await start({ peers: [peerInfo("a")] });
    await meeting.self.enableVideo(cameraTrack());
    await meeting.join();
    server.handlers["resume"] = (socket, request) => socket.refuse(request, "ResumeFailed");
    server.joined = joinedResult({ peers: [peerInfo("b")] });
    server.socket.drop();
    await clock.advance(1_000);
    expect(meeting.participants.joined.toArray().map(({ id }) => id)).toEqual(["b"]);
    expect(server.requests("publish")).toHaveLength(2);
  });

  it("to the media node builds both connections again", async () => {
    await start({ peers: [peerInfo("a")], publications: [publication] });
    await meeting.self.enableVideo(cameraTrack());
    await meeting.join();
    push({ type: "media_reset", reason: "node_lost" });
    await settle();
    expect(server.requests("publish")).toHaveLength(2);
    expect(meeting.participants.joined.get("a")?.videoEnabled).toBe(false);
  });

  it("that stays lost ends the meeting as failed", async () => {
    await start();
    await meeting.join();
    const left: string[] = [];
    meeting.self.on("roomLeft", ({ state }) => left.push(state));
    server.reachable = false;
    server.socket.drop();
    await clock.advance(120_000);
    expect(left).toEqual(["failed"]);
  });
});

describe("the servers for ICE", () => {
  const turn = (credential: string): IceServer[] => [{ urls: ["turn:turn.example.org"], username: "1:a", credential }];

  it("are those of the join, relay only where that is asked for", async () => {
    await start({ ice_servers: turn("first") }, undefined, { forceRelay: true });
    await meeting.self.enableVideo(cameraTrack());
    await meeting.join();
    expect(asked).toEqual([{ iceServers: turn("first"), forceRelay: true }]);
  });

  it("change in a connection that there is, and hold for the next one", async () => {
    await start({ ice_servers: turn("first") });
    await meeting.self.enableVideo(cameraTrack());
    await meeting.join();
    push({ type: "ice_servers", ice_servers: turn("second"), ttl: 3600 });
    expect(connections[0]?.configuration).toMatchObject({ iceServers: turn("second"), iceTransportPolicy: "all" });
    push({ type: "media_reset", reason: "node_lost" });
    await settle();
    expect(asked[1]).toEqual({ iceServers: turn("second"), forceRelay: false });
  });

  it("come anew with a resume", async () => {
    await start({ ice_servers: turn("first") });
    await meeting.self.enableVideo(cameraTrack());
    await meeting.join();
    server.resumedIceServers = turn("second");
    server.socket.drop();
    await clock.advance(1_000);
    expect(connections[0]?.configuration).toMatchObject({ iceServers: turn("second") });
  });
});

describe("media that stops", () => {
  it("makes the socket prove that it is alive, and is repaired as soon as there is one that works", async () => {
    await start();
    await meeting.self.enableVideo(cameraTrack());
    await meeting.join();
    server.handlers["ping"] = () => undefined;
    const [publish] = connections;
    publish!.connectionState = "disconnected";
    publish!.onconnectionstatechange!();
    expect(server.requests("ping")).toHaveLength(1);
    await clock.advance(3_500);
    expect(server.requests("resume")).toHaveLength(1);
    expect(publish!.restarts).toBe(1);
  });
});

it("a kick ends the meeting, and says so", async () => {
  await start();
  await meeting.join();
  const left: string[] = [];
  meeting.self.on("roomLeft", ({ state }) => left.push(state));
  push({ type: "session_left", reason: "kicked" });
  expect(left).toEqual(["kicked"]);
  expect(server.socket.closed).toBe(true);
});

it("what others may is changed in the words that presets have in JavaScript, and sent in the server's", async () => {
  await start({ peers: [peerInfo("a")] });
  await meeting.join();
  server.handlers["update_permissions"] = (socket, request) => socket.answer(request);
  const media = { video: { canProduce: "NOT_ALLOWED" } };
  await meeting.participants.updatePermissions(["a"], { media, kickParticipant: false });
  expect(server.requests("update_permissions")).toMatchObject([
    { peer_ids: ["a"], permissions: { media: { video: { can_produce: "NOT_ALLOWED" } }, kick_participant: false } },
  ]);
});
