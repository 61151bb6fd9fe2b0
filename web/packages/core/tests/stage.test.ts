import { beforeEach, describe, expect, it } from "vitest";
import type { RequestBody } from "../src/connection/requests";
import type { Signal } from "../src/connection/results";
import { RostrumError, StageError } from "../src/errors";
import { Participant } from "../src/participant";
import { ParticipantMap } from "../src/participantMap";
import { Stage } from "../src/stage";
import { peerInfo, stageInfo } from "./support/world";

let sent: RequestBody[];
let answer: (body: RequestBody) => object;
let participants: ParticipantMap;
let stage: Stage;
let heard: string[];

const nothing = { kick: async () => undefined, mute: async () => undefined, censor: async () => undefined,
  uncensor: async () => undefined,
  setLayer: async () => undefined,
  problemOf: () => null };

beforeEach(() => {
  sent = [];
  heard = [];
  answer = () => ({ status: "OFF_STAGE", peers: [] });
  const signal = {
    request: (body: RequestBody) => {
      sent.push(body);
      return Promise.resolve().then(() => answer(body));
    },
  } as unknown as Signal;
  participants = new ParticipantMap();
  participants.handleRoster([
    new Participant(peerInfo("speaker"), nothing),
    new Participant(peerInfo("viewer", { stage_status: "OFF_STAGE" }), nothing),
  ]);
  stage = new Stage(signal, participants);
  stage.handleInfo(stageInfo());
  stage.on("stageStatusUpdate", (status, previous) => heard.push(`${previous} -> ${status}`));
  stage.on("stageRequestApproved", () => heard.push("approved"));
  stage.on("stageRequestRejected", () => heard.push("rejected"));
  stage.on("removedFromStage", () => heard.push("removed"));
});

describe("one's own standing", () => {
  it("follows the answer to a request", async () => {
    answer = () => ({ status: "REQUESTED_TO_JOIN_STAGE", peers: [] });
    await stage.requestAccess();
    expect(sent).toEqual([{ type: "stage_request" }]);
    expect(stage.status).toBe("REQUESTED_TO_JOIN_STAGE");
  });

  it("is announced once, though the answer and an event both tell it", async () => {
    answer = () => ({ status: "ON_STAGE", peers: [] });
    await stage.join();
    const event = { peer_id: "me", status: "ON_STAGE", previous: "ACCEPTED_TO_JOIN_STAGE" } as const;
    stage.handleOwnStatus({ type: "stage_status", ...event, action: "join", by: null });
    expect(heard).toEqual(["OFF_STAGE -> ON_STAGE"]);
  });

  it.each([
    ["grant", "ACCEPTED_TO_JOIN_STAGE", "approved"],
    ["deny", "OFF_STAGE", "rejected"],
    ["kick", "OFF_STAGE", "removed"],
  ] as const)("says why it changed: %s", (action, status, reason) => {
    stage.handleInfo(stageInfo({ status: "REQUESTED_TO_JOIN_STAGE" }));
    heard = [];
    const previous = "REQUESTED_TO_JOIN_STAGE";
    stage.handleOwnStatus({ type: "stage_status", peer_id: "me", status, previous, action, by: "host" });
    expect(heard).toEqual([`REQUESTED_TO_JOIN_STAGE -> ${status}`, reason]);
  });

  it("does not change when the server refuses, and the refusal is a StageError by name", async () => {
    answer = () => {
      throw new RostrumError("ActionInvalidForStageStatus", "You are on the stage already.", 2006);
    };
    const refusal = await stage.join().catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(StageError);
    expect(refusal).toMatchObject({ name: "ActionInvalidForStageStatus", code: 2006 });
    expect(stage.status).toBe("OFF_STAGE");
  });
});

describe("a host", () => {
  const failure = { code: 2006, name: "ActionInvalidForStageStatus", message: "Already there." };

  it("learns the outcome for each peer", async () => {
    answer = () => ({ status: "ON_STAGE", peers: [{ peer_id: "a", ok: true }, { peer_id: "b", ok: false, error: failure }] });
    const outcome = await stage.grantAccess(["a", "b"]);
    expect(outcome.map((peer) => peer.ok)).toEqual([true, false]);
  });

  it("gets an error when it worked for nobody", async () => {
    answer = () => ({ status: "ON_STAGE", peers: [{ peer_id: "b", ok: false, error: failure }] });
    await expect(stage.kick(["b"])).rejects.toMatchObject({ name: "ActionInvalidForStageStatus" });
  });

  it("hears of new requests only, and of the whole list", () => {
    const counts: number[] = [];
    stage.on("newStageRequest", ({ count }) => counts.push(count));
    const request = (id: string) => ({ peer_id: id, participant_id: `pt_${id}`, name: id });
    stage.handleInfo(stageInfo({ is_host: true }));
    stage.handleRequests([request("a")]);
    stage.handleRequests([request("a"), request("b"), request("c")]);
    stage.handleRequests([request("c")]);
    expect(counts).toEqual([1, 2]);
    expect(stage.getAccessRequests().stageRequests.map(({ peerId }) => peerId)).toEqual(["c"]);
  });

  it("who is one no longer sees no requests", () => {
    stage.handleInfo(stageInfo({ is_host: true }));
    stage.handleRequests([{ peer_id: "a", participant_id: "pt_a", name: "A" }]);
    stage.handleInfo(stageInfo({ is_host: false }));
    expect(stage.accessRequests).toEqual([]);
  });
});

it("tells viewers from those on the stage, as they move", () => {
  expect(stage.viewers.map(({ id }) => id)).toEqual(["viewer"]);
  const moved = { peer_id: "viewer", status: "ON_STAGE", previous: "OFF_STAGE" } as const;
  stage.handlePeerStatus({ type: "stage_status", ...moved, action: "join", by: null });
  expect(stage.viewers).toEqual([]);
});
