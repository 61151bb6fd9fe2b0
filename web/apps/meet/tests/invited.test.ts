import { ConnectionFailedError, type Invitation, RostrumError } from "@rostrum/core";
import { describe, expect, it } from "vitest";
import { crowd, devicesOf, joinProblem, lookUp, retryAfter } from "../src/state/invited";

const invitation = (may: object) => ({ may }) as Invitation;
const refusal = (name: string) => lookUp(Promise.reject(new RostrumError(name, "In the server's words.", 401)));

describe("an invitation", () => {
  it("that is good turns on what may be used at once", async () => {
    const voiceOnly = { audio: "ALLOWED", video: "NOT_ALLOWED", stage: { enabled: false, access: "ALLOWED" } };
    const found = await lookUp(Promise.resolve(invitation(voiceOnly)));
    expect(found.kind).toBe("good");
    expect(devicesOf(found)).toEqual({ audio: true, video: false });
  });

  it.each([
    ["InvalidToken", "token in your link"],
    ["MeetingInactive", "closed"],
    ["NotFound", "In the server's words."],
  ])("refused with %s says so, and no camera is asked for", async (name, words) => {
    const found = await refusal(name);
    expect(found.kind === "refused" && found.problem).toContain(words);
    expect(devicesOf(found)).toEqual({ audio: false, video: false });
  });

  it("that nobody could be asked about stands in nobody's way", async () => {
    const found = await lookUp(Promise.reject(new ConnectionFailedError()));
    expect(found).toEqual({ kind: "unknown" });
    expect(devicesOf(found)).toEqual({ audio: true, video: true });
  });

  it.each([
    [0, [], "Nobody is in the meeting yet"],
    [1, [], "1 person is in the meeting"],
    [12, [], "12 people are in the meeting"],
    [1, ["Ada"], "Ada is in the meeting"],
    [2, ["Ada", "Grace"], "Ada and Grace are in the meeting"],
    [3, ["Ada", "Grace", "Alan"], "Ada, Grace and Alan are in the meeting"],
    [4, ["Ada", "Grace", "Alan", "Mary"], "Ada, Grace and 2 others are in the meeting"],
    [2, ["Ada"], "Ada and 1 other are in the meeting"],
    [30, ["Ada", "Grace", "Alan", "Mary"], "Ada, Grace and 28 others are in the meeting"],
  ])("of %i people in the meeting names %j", (liveParticipants, names, words) => {
    const present = names.map((name) => ({ name, picture: null }));
    expect(crowd({ liveParticipants, present })).toBe(words);
  });

  it("says when to try again where the server does", () => {
    const full = new RostrumError("Overloaded", "The server is full.", 9503);
    expect(retryAfter(full)).toBeNull();
    full.retryAfter = 6.2;
    expect(retryAfter(full)).toBe(7);
    full.retryAfter = 0;
    expect(retryAfter(full)).toBe(1);
    expect(retryAfter(new Error("Something else"))).toBeNull();
  });

  it("keeps the words of errors it does not know", () => {
    expect(joinProblem(new Error("Something else"))).toBe("Something else");
    expect(joinProblem("text")).toBe("text");
  });
});
