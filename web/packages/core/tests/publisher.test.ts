import { beforeEach, describe, expect, it } from "vitest";
import type { RequestBody } from "../src/connection/requests";
import type { Signal } from "../src/connection/results";
import { RostrumError } from "../src/errors";
import { Publisher, type PublishItem } from "../src/media/publisher";
import { FakePeerConnection, fakeTrack } from "./support/peerConnection";

let sent: RequestBody[];
let refuse: string | null;
let reason: string;
let connections: FakePeerConnection[];
let publisher: Publisher;

const camera = (): PublishItem => ({
  source: "camera",
  kind: "video",
  track: fakeTrack("video"),
  encodings: [{ rid: "q" }, { rid: "h" }],
});
const microphone = (): PublishItem => ({ source: "microphone", kind: "audio", track: fakeTrack("audio") });

beforeEach(() => {
  sent = [];
  refuse = null;
  reason = "PermissionDenied";
  connections = [];
  let published = 0;
  const signal = {
    request: async (body: RequestBody) => {
      sent.push(body);
      if (refuse === body.type) throw new RostrumError(reason, "No.", 2001);
      if (body.type !== "publish") return {};
      const items = (body.publications ?? []).map(({ mid, source }) => {
        return { mid, source, publication_id: `pub_${++published}`, codec: "", encodings: 1 };
      });
      return { answer: "answer", publications: items };
    },
  } as unknown as Signal;
  publisher = new Publisher({
    signal,
    createPeerConnection: () => {
      const connection = new FakePeerConnection();
      connections.push(connection);
      return connection as unknown as RTCPeerConnection;
    },
    preferCodec: () => undefined,
  });
});

const types = () => sent.map(({ type }) => type);

describe("publishing", () => {
  it("offers all sources at once, each with its m-line", async () => {
    await publisher.publish([microphone(), camera()]);
    expect(sent).toMatchObject([
      { type: "publish", publications: [{ mid: "0", source: "microphone" }, { mid: "1", source: "camera" }] },
    ]);
    expect(publisher.publicationId("camera")).toBe("pub_2");
    expect(publisher.sourceOf("pub_1")).toBe("microphone");
  });

  it("keeps the first m-line for the microphone, for it carries the transport", async () => {
    await publisher.publish([camera()]);
    expect(sent).toMatchObject([{ publications: [{ mid: "1", source: "camera" }] }]);
    await publisher.publish([microphone()]);
    expect(sent[1]).toMatchObject({ publications: [{ mid: "0", source: "microphone" }] });
  });

  it("a source again only exchanges the track", async () => {
    await publisher.publish([camera()]);
    const next = camera();
    await publisher.publish([next]);
    expect(types()).toEqual(["publish"]);
    expect(connections[0]?.transceivers[1]?.sender.track).toBe(next.track);
  });

  it("waits for the offer before", async () => {
    await Promise.all([publisher.publish([microphone()]), publisher.publish([camera()])]);
    expect(connections[0]?.offersWhileOneWasOpen).toBe(0);
    expect(types()).toEqual(["publish", "publish"]);
  });
});

describe("a refusal", () => {
  it("of the first offer leaves nothing behind, and a later offer starts afresh", async () => {
    refuse = "publish";
    await expect(publisher.publish([camera()])).rejects.toMatchObject({ name: "PermissionDenied" });
    expect(connections[0]?.signalingState).toBe("closed");
    refuse = null;
    await publisher.publish([camera()]);
    expect(connections).toHaveLength(2);
    expect(publisher.publicationId("camera")).not.toBeNull();
  });

  it("of a later one takes back what it added, and keeps the rest", async () => {
    await publisher.publish([microphone()]);
    refuse = "publish";
    await expect(publisher.publish([camera()])).rejects.toMatchObject({ name: "PermissionDenied" });
    expect(publisher.publicationId("camera")).toBeNull();
    expect(publisher.publicationId("microphone")).toBe("pub_1");
    expect(connections[0]?.signalingState).toBe("stable");
    expect(connections[0]?.transceivers[1]?.sender.track).toBeNull();
  });
});

describe("simulcast that was refused", () => {
  beforeEach(async () => {
    await publisher.publish([microphone()]);
    refuse = "publish";
    await expect(publisher.publish([camera()])).rejects.toMatchObject({ name: "PermissionDenied" });
  });

  it("is published by the same transceiver, however often it was refused", async () => {
    for (let time = 0; time < 3; time++) await publisher.publish([camera()]).catch(() => undefined);
    refuse = null;
    const next = camera();
    await publisher.publish([next]);
    const [, only, ...others] = connections[0]!.transceivers;
    expect([only?.direction, only?.sender.track, others]).toEqual(["sendonly", next.track, []]);
    expect(publisher.publicationId("camera")).not.toBeNull();
  });

  it("is published by another one where that was negotiated meanwhile, or has other encodings", async () => {
    refuse = null;
    await publisher.publish([{ ...camera(), encodings: [{ rid: "q" }, { rid: "h" }, { rid: "f" }] }]);
    await publisher.unpublish(["camera"]);
    expect(connections[0]!.transceivers.map(({ direction }) => direction)).toEqual(["sendonly", "inactive", "stopped"]);
    refuse = "publish";
    await publisher.publish([camera()]).catch(() => undefined);
    refuse = null;
    await publisher.restartIce();
    await publisher.publish([camera()]);
    expect(connections[0]!.transceivers.map(({ direction }) => direction).slice(3)).toEqual(["stopped", "sendonly"]);
    expect(publisher.publicationId("camera")).not.toBeNull();
  });
});

describe("muting", () => {
  it("stops the packets here and tells the server once", async () => {
    await publisher.publish([microphone()]);
    await publisher.mute("microphone");
    await publisher.mute("microphone");
    expect(types()).toEqual(["publish", "mute"]);
    expect(connections[0]?.transceivers[0]?.sender.track).toBeNull();
  });

  it("ends with the next publish, on the same publication", async () => {
    await publisher.publish([microphone()]);
    await publisher.mute("microphone");
    await publisher.publish([microphone()]);
    expect(types()).toEqual(["publish", "mute", "unmute"]);
    expect(publisher.publicationId("microphone")).toBe("pub_1");
  });

  it("by a moderator needs no mute from here, but an unmute", async () => {
    await publisher.publish([microphone()]);
    publisher.handleMuted("microphone", true);
    await publisher.mute("microphone");
    await publisher.publish([microphone()]);
    expect(types()).toEqual(["publish", "unmute"]);
  });
});

describe("a publication that went with its node", () => {
  it("is published anew where it is turned on again", async () => {
    await publisher.publish([microphone(), camera()]);
    await publisher.mute("microphone");
    [refuse, reason] = ["unmute", "NotFound"];
    await publisher.publish([microphone()]);
    expect(types()).toEqual(["publish", "mute", "unmute", "publish"]);
    expect(sent[3]).toMatchObject({ publications: [{ source: "microphone", mid: "0" }] });
    expect([publisher.publicationId("microphone"), publisher.sends("microphone")]).toEqual(["pub_3", true]);
  });

  it("is unpublished already", async () => {
    await publisher.publish([microphone()]);
    [refuse, reason] = ["unpublish", "NotFound"];
    await publisher.unpublish(["microphone"]);
    expect([types(), publisher.publicationId("microphone")]).toEqual([["publish", "unpublish"], null]);
  });

  it("is muted already", async () => {
    await publisher.publish([microphone()]);
    [refuse, reason] = ["mute", "NotFound"];
    await publisher.mute("microphone");
    expect(connections[0]?.transceivers[0]?.sender.track).toBeNull();
    await publisher.publish([microphone()]);
    reason = "PermissionDenied";
    await expect(publisher.mute("microphone")).rejects.toMatchObject({ name: "PermissionDenied" });
  });
});

describe("leaving the stage", () => {
  it("empties every sender, without a word to the server who ended them", async () => {
    await publisher.publish([microphone(), camera()]);
    await publisher.dropAll();
    expect(types()).toEqual(["publish"]);
    expect(connections[0]?.transceivers.map(({ sender }) => sender.track)).toEqual([null, null]);
    expect(publisher.publicationId("camera")).toBeNull();
  });

  it("and coming back sends simulcast on a new transceiver, and the microphone on the old", async () => {
    await publisher.publish([microphone(), camera()]);
    await publisher.dropAll();
    await publisher.publish([microphone(), camera()]);
    const [audio, old, fresh] = connections[0]!.transceivers;
    expect(audio?.direction).toBe("sendonly");
    expect(old?.direction).toBe("stopped");
    expect(fresh?.sender.track).not.toBeNull();
  });
});

it("a restart of ICE renegotiates with no publications", async () => {
  await publisher.publish([microphone()]);
  await publisher.restartIce();
  expect(connections[0]?.restarts).toBe(1);
  expect(sent[1]).toMatchObject({ type: "publish", publications: [] });
});

/** As browsers do with what a connection was at when it was closed. */
const never = () => new Promise<never>(() => undefined);

describe("a reset while something is under way", () => {
  it.each(["createOffer", "setLocalDescription"] as const)("does not wait for a %s that never ends", async (step) => {
    await publisher.publish([microphone()]);
    connections[0]![step] = never;
    const first = publisher.publish([camera()]);
    await new Promise((resolve) => setTimeout(resolve));
    publisher.reset();
    await first;
    await publisher.publish([microphone(), camera()]);
    expect(connections).toHaveLength(2);
    expect([publisher.publicationId("microphone"), publisher.publicationId("camera")]).toEqual(["pub_2", "pub_3"]);
  });

  it("leaves alone what is published after it, though what was under way goes on", async () => {
    await publisher.publish([microphone(), camera()]);
    const { sender } = connections[0]!.transceivers[0]!;
    let go: () => void = () => undefined;
    sender.replaceTrack = () => new Promise((resolve) => (go = resolve));
    const dropped = publisher.dropAll();
    await new Promise((resolve) => setTimeout(resolve));
    publisher.reset();
    await dropped;
    await publisher.publish([microphone(), camera()]);
    go();
    await new Promise((resolve) => setTimeout(resolve));
    expect(publisher.published.size).toBe(2);
    expect(connections[1]!.transceivers.every((one) => one.sender.track !== null)).toBe(true);
  });

  it("publishes nothing of a call that it left where it was", async () => {
    await publisher.publish([microphone()]);
    const { sender } = connections[0]!.transceivers[0]!;
    let go: () => void = () => undefined;
    sender.replaceTrack = () => new Promise((resolve) => (go = resolve));
    const left = publisher.publish([microphone(), camera()]);
    await new Promise((resolve) => setTimeout(resolve));
    publisher.reset();
    await left;
    go();
    await new Promise((resolve) => setTimeout(resolve));
    expect(connections).toHaveLength(1);
    expect(types()).toEqual(["publish"]);
  });

  it("tells of a failure all the same where it was none of a reset", async () => {
    refuse = "publish";
    await expect(publisher.openData(() => undefined)).rejects.toMatchObject({ name: "PermissionDenied" });
  });
});

it("a reset forgets all, for another node", async () => {
  await publisher.publish([microphone()]);
  publisher.reset();
  expect(connections[0]?.signalingState).toBe("closed");
  await publisher.publish([microphone()]);
  expect(connections).toHaveLength(2);
  expect(publisher.publicationId("microphone")).toBe("pub_2");
});

describe("what nobody receives", () => {
  const active = (mid: number) =>
    connections[0]?.transceivers[mid]?.sender.getParameters().encodings.map((encoding) => encoding.active);

  it("is not encoded, and is again when somebody does", async () => {
    await publisher.publish([camera()]);
    await publisher.handleWanted("pub_1", [true, false]);
    expect(active(1)).toEqual([true, false]);
    await publisher.handleWanted("pub_1", [true, true]);
    expect(active(1)).toEqual([true, true]);
  });

  it("is sent again by what is published next on the same m-line", async () => {
    await publisher.publish([microphone()]);
    await publisher.handleWanted("pub_1", [false]);
    await publisher.unpublish(["microphone"]);
    await publisher.publish([microphone()]);
    expect(active(0)).toEqual([true]);
  });

  it("says nothing of publications that are gone", async () => {
    await publisher.publish([camera()]);
    await publisher.handleWanted("pub_9", [false, false]);
    expect(active(1)).toEqual([true, true]);
  });
});
