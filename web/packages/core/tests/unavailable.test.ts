import { beforeEach, describe, expect, it } from "vitest";
import { AGAIN_AT_MOST_MS } from "../src/media/postponed";
import type { Meeting } from "../src/meeting";
import { cameraTrack, MeetingWorld } from "./support/meetingWorld";
import { type FakeServer, type ManualClock, settle } from "./support/world";

let world: MeetingWorld;
let server: FakeServer;
let clock: ManualClock;
let meeting: Meeting;
let told: string[];
let seq: number;
let works: FakeServer["handlers"][string];

const published = () =>
  server.requests("publish").map(({ publications }) => (publications as { source: string }[]).map(({ source }) => source));

function refusePublishing(name = "MediaUnavailable", code = 9454): void {
  server.handlers["publish"] = (socket, request) => socket.refuse(request, name, code);
}

async function reset(): Promise<void> {
  server.handlers["publish"] = works;
  server.socket.event(++seq, { type: "media_reset", reason: "node_lost" });
  await settle();
}

beforeEach(async () => {
  world = new MeetingWorld();
  ({ server, clock } = world);
  works = server.handlers["publish"]!;
  server.handlers["unpublish"] = (socket, request) => socket.answer(request);
  told = [];
  seq = 0;
  meeting = await world.start();
  meeting.self.on("publishError", ({ name }) => told.push(name));
});

describe("while no media node can take anything", () => {
  it("what is turned on stays on, says so, and is sent once there is one", async () => {
    await meeting.join();
    refusePublishing();
    const track = cameraTrack();
    await meeting.self.enableVideo(track);
    await meeting.self.enableScreenShare({ video: cameraTrack() });
    expect([meeting.self.videoTrack, meeting.self.screenShareEnabled, told]).toEqual([track, true, ["MediaUnavailable"]]);
    await reset();
    expect(published().at(-1)).toEqual(["camera", "screen"]);
    expect([meeting.self.videoTrack, meeting.self.screenShareEnabled, told]).toEqual([track, true, ["MediaUnavailable"]]);
  });

  it("what was on at the join, or before the node was lost, is sent once there is one", async () => {
    await meeting.self.enableVideo(cameraTrack());
    refusePublishing();
    await meeting.join();
    expect([meeting.self.videoEnabled, told]).toEqual([true, ["MediaUnavailable"]]);
    await reset();
    refusePublishing();
    server.socket.event(++seq, { type: "media_reset", reason: "node_lost" });
    await settle();
    expect([meeting.self.videoEnabled, told]).toEqual([true, ["MediaUnavailable", "MediaUnavailable"]]);
    await reset();
    expect(published()).toEqual(Array(4).fill(["camera"]));
  });

  it("what is turned off again is not sent", async () => {
    await meeting.join();
    refusePublishing();
    await meeting.self.enableVideo(cameraTrack());
    await meeting.self.enableScreenShare({ video: cameraTrack() });
    await meeting.self.disableVideo();
    await meeting.self.disableScreenShare();
    await reset();
    await clock.advance(10 * AGAIN_AT_MOST_MS);
    expect(published()).toEqual([["camera"], ["screen"]]);
  });

  it("it is tried again, less often each time, and told once", async () => {
    await meeting.join();
    refusePublishing();
    await meeting.self.enableVideo(cameraTrack());
    const tries: number[] = [];
    server.handlers["publish"] = (socket, request) => {
      tries.push(clock.now() / 1000);
      socket.refuse(request, "MediaUnavailable", 9454);
    };
    await clock.advance(62_000);
    expect(tries).toEqual([2, 6, 14, 30, 46, 62]);
    expect(told).toEqual(["MediaUnavailable"]);
    server.handlers["publish"] = works;
    await clock.advance(AGAIN_AT_MOST_MS);
    const before = published().length;
    await clock.advance(10 * AGAIN_AT_MOST_MS);
    expect([meeting.self.videoEnabled, published().length - before]).toEqual([true, 0]);
  });

  it("what the server refuses for another reason then is off, and nothing else", async () => {
    await meeting.join();
    await meeting.self.enableAudio(cameraTrack());
    refusePublishing();
    await meeting.self.enableVideo(cameraTrack());
    refusePublishing("PermissionDenied", 2001);
    await clock.advance(2_000);
    expect([meeting.self.audioEnabled, meeting.self.videoEnabled]).toEqual([true, false]);
    expect(told).toEqual(["MediaUnavailable", "PermissionDenied"]);
    await clock.advance(10 * AGAIN_AT_MOST_MS);
    expect(published()).toHaveLength(3);
  });

  it("nothing is asked for any more by who left", async () => {
    await meeting.join();
    refusePublishing();
    await meeting.self.enableVideo(cameraTrack());
    await meeting.leave();
    await clock.advance(10 * AGAIN_AT_MOST_MS);
    expect([meeting.self.videoEnabled, published().length]).toEqual([false, 1]);
  });
});

it("what else no media node can take is done by the reset that follows, and not told", async () => {
  await meeting.join();
  server.handlers["subscribe_answer"] = (socket, request) => socket.refuse(request, "MediaUnavailable", 9454);
  server.socket.event(++seq, { type: "subscribe_offer", version: 1, offer: "", mids: [], moved: null });
  await settle();
  expect([server.requests("subscribe_answer").length, told]).toEqual([1, []]);
});

it("what was being published as the socket was lost is sent after it came back", async () => {
  await meeting.join();
  server.handlers["publish"] = (socket) => {
    server.handlers["publish"] = works;
    socket.drop();
  };
  await meeting.self.enableVideo(cameraTrack());
  await clock.advance(5_000);
  expect(server.requests("resume")).toHaveLength(1);
  expect(published()).toEqual([["camera"], ["camera"]]);
  expect([meeting.self.videoEnabled, told]).toEqual([true, []]);
});

it("data channels are asked for once a second until there is a media node", async () => {
  meeting = await world.start({}, undefined, {}, { data: true });
  refusePublishing();
  await meeting.join();
  await clock.advance(3_500);
  expect(published()).toHaveLength(4);
  await reset();
  await clock.advance(1_000);
  for (const channel of world.connections.at(-1)!.dataChannels) channel.accept();
  expect([meeting.data.state, published().length]).toEqual(["open", 5]);
});
