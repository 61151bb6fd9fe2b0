import { beforeEach, describe, expect, it } from "vitest";
import { MAX_DEVICES, MAX_LABEL, SETTLE_MS } from "../src/deviceReport";
import { hardwareOf } from "../src/hardware";
import type { Meeting } from "../src/meeting";
import { MeetingWorld } from "./support/meetingWorld";
import { fakeTrack } from "./support/peerConnection";
import { joinedResult, settle } from "./support/world";

/** Devices that can be plugged in; without a name while the page may not know it. */
class FakeDevices {
  list: MediaDeviceInfo[] = [];
  private listeners: (() => void)[] = [];

  getUserMedia = () => Promise.reject(new Error("not asked for"));
  getDisplayMedia = this.getUserMedia;
  enumerateDevices = () => Promise.resolve([...this.list]);
  removeEventListener = () => undefined;

  addEventListener(_type: string, listener: unknown): void {
    this.listeners.push(listener as () => void);
  }

  async change(...list: MediaDeviceInfo[]): Promise<void> {
    this.list = list;
    for (const listener of this.listeners) listener();
    await settle();
  }
}

function device(kind: MediaDeviceKind, deviceId: string, label: string): MediaDeviceInfo {
  return { kind, deviceId, label, groupId: "" } as MediaDeviceInfo;
}

function trackOf(deviceId: string): MediaStreamTrack {
  const idle = { addEventListener: () => undefined, removeEventListener: () => undefined, stop: () => undefined };
  return Object.assign(fakeTrack("audio"), idle, { readyState: "live", getSettings: () => ({ deviceId }) });
}

const BUILT_IN = device("audioinput", "b".repeat(64), "Built-in");
const HEADSET = device("audioinput", "h".repeat(64), "Headset");
const CAMERA = device("videoinput", "c".repeat(64), "Camera");
const told = (id: string, label: string) => ({ id, kind: id.split("-")[0], label });

let world: MeetingWorld;
let devices: FakeDevices;

async function joined(options: { reportDevices?: boolean } = {}): Promise<Meeting> {
  const meeting = await world.start({}, undefined, {}, options);
  await meeting.join();
  await world.clock.advance(SETTLE_MS);
  return meeting;
}

/** What was told, in the order of time. */
function reports() {
  return world.server.requests("report_devices").map(({ devices, used }) => ({ devices, used }));
}

beforeEach(() => {
  world = new MeetingWorld();
  devices = new FakeDevices();
  world.mediaDevices = devices;
  world.server.handlers["report_devices"] = (socket, request) => socket.answer(request);
});

describe("the devices", () => {
  it("are told by numbers, after the join and when something changed", async () => {
    devices.list = [BUILT_IN, CAMERA];
    await joined();
    expect(reports()).toEqual([
      { devices: [told("audioinput-1", "Built-in"), told("videoinput-1", "Camera")], used: [] },
    ]);

    await devices.change(HEADSET, CAMERA);
    await devices.change(HEADSET, BUILT_IN, CAMERA);
    await world.clock.advance(SETTLE_MS);
    await devices.change(HEADSET, BUILT_IN, CAMERA);
    await world.clock.advance(SETTLE_MS);
    expect(reports().slice(1).map(({ devices }) => devices)).toEqual([
      [told("audioinput-2", "Headset"), told("audioinput-1", "Built-in"), told("videoinput-1", "Camera")],
    ]);
    expect(JSON.stringify(reports())).not.toContain(BUILT_IN.deviceId);
  });

  it("are told with the one that is used, and with the system's speaker unless another is chosen", async () => {
    const speaker = device("audiooutput", "default", "Default");
    const other = device("audiooutput", "other", "Other");
    devices.list = [BUILT_IN, HEADSET, speaker, other];
    const meeting = await joined();
    expect(reports()[0]!.used).toEqual(["audiooutput-1"]);

    await meeting.self.enableAudio(trackOf(HEADSET.deviceId));
    await world.clock.advance(SETTLE_MS);
    expect(reports()[1]!.used).toEqual(["audioinput-2", "audiooutput-1"]);

    await meeting.self.setDevice(other);
    await meeting.self.disableAudio();
    await world.clock.advance(SETTLE_MS);
    expect(reports()[2]!.used).toEqual(["audiooutput-2"]);
  });

  it("are not told while the page may not know what they are called, and stay when it may not any more", async () => {
    devices.list = [device("audioinput", "", ""), device("videoinput", "", "")];
    await joined();
    expect(reports()).toEqual([]);

    await devices.change(BUILT_IN, device("videoinput", "", ""));
    await world.clock.advance(SETTLE_MS);
    await devices.change(device("audioinput", "", ""), CAMERA);
    await world.clock.advance(SETTLE_MS);
    await devices.change(CAMERA);
    await world.clock.advance(SETTLE_MS);
    expect(reports().map(({ devices }) => devices)).toEqual([
      [told("audioinput-1", "Built-in")],
      [told("audioinput-1", "Built-in"), told("videoinput-1", "Camera")],
      [told("videoinput-1", "Camera")],
    ]);
  });

  it("are told with names and in a number that the server takes", async () => {
    const odd = device("audioinput", "odd", `\u{0}a\n\u{d800}b${"🎤".repeat(200)}`);
    const many = Array.from({ length: 80 }, (_, index) => device("videoinput", `v${index}`, `Camera ${index}`));
    devices.list = [odd, ...many];
    await joined();
    const [first] = reports() as { devices: { label: string }[] }[];
    expect(first!.devices).toHaveLength(MAX_DEVICES);
    const { label } = first!.devices[0]!;
    expect([...label]).toHaveLength(MAX_LABEL);
    expect(label.startsWith("a  b🎤")).toBe(true);
  });

  it("are told again to a server that may have forgotten them", async () => {
    devices.list = [CAMERA];
    await joined();
    world.server.socket.drop();
    await world.clock.advance(60_000);
    expect(world.server.requests("resume")).toHaveLength(1);
    expect(reports()).toHaveLength(2);
    expect(reports()[1]).toEqual(reports()[0]);
  });

  it("are told once to a server that does not know the request", async () => {
    world.server.handlers["report_devices"] = (socket, request) => socket.refuse(request, "MalformedMessage", 9455);
    devices.list = [CAMERA];
    await joined();
    await devices.change(CAMERA, BUILT_IN);
    await world.clock.advance(SETTLE_MS);
    expect(reports()).toHaveLength(1);
  });

  it("are not told where the page does not want it, nor while one waits to be admitted, nor after one has left", async () => {
    devices.list = [CAMERA];
    await joined({ reportDevices: false });
    await devices.change(CAMERA, BUILT_IN);
    await world.clock.advance(SETTLE_MS);
    expect(reports()).toEqual([]);

    world.server.handlers["join"] = (socket, request) =>
      socket.answer(request, {
        peer_id: "peer_me",
        seq: 0,
        me: { ...joinedResult().me, since: "2026-01-01T00:00:00Z" },
        meeting: joinedResult().meeting,
        ui: {},
      });
    const waiting = await joined();
    expect(waiting.self.roomState).toBe("waitlisted");
    expect(reports()).toEqual([]);
    world.server.socket.event(1, { type: "admitted", joined: joinedResult({ seq: 1 }) });
    await world.clock.advance(SETTLE_MS);
    expect(reports()).toHaveLength(1);

    await waiting.leave();
    await devices.change(BUILT_IN);
    await world.clock.advance(SETTLE_MS);
    await settle();
    expect(reports()).toHaveLength(1);
  });
});

describe("the machine", () => {
  it("is told with the join, as far as the browser says", async () => {
    world.machine = { hardwareConcurrency: 8, deviceMemory: 0.5 };
    await joined();
    expect(world.server.requests("join")[0]).toMatchObject({ hardware: { cores: 8, memory: 0.5 } });
    world.machine = {};
    await joined();
    expect(world.server.requests("join")[1]).not.toHaveProperty("hardware");
  });

  it("is not told where the server would not believe it", () => {
    expect(hardwareOf({ hardwareConcurrency: 8 })).toEqual({ cores: 8 });
    expect(hardwareOf({ hardwareConcurrency: 0, deviceMemory: Infinity })).toBeNull();
    expect(hardwareOf({ hardwareConcurrency: 1.5, deviceMemory: -1 })).toBeNull();
    expect(hardwareOf({ hardwareConcurrency: 5000, deviceMemory: NaN })).toBeNull();
  });
});
