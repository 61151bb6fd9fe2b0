import { beforeEach, describe, expect, it } from "vitest";
import type { Fetch } from "../src/dependencies";
import { type Invitation, mayUseAtOnce, readInvitation } from "../src/invitation";
import { ManualClock, settle } from "./support/world";

const options = { authToken: "a.b.c", baseURI: "https://meet.example.org" };
const data = {
  meeting: { id: "m", title: "Weekly", view_type: "WEBINAR" },
  participant: { id: "p", name: "Ada", picture: null, preset_name: "webinar_viewer" },
  may: {
    edit_display_name: true,
    audio: "CAN_REQUEST",
    video: "CAN_REQUEST",
    screenshare: "NOT_ALLOWED",
    stage: { enabled: true, access: "CAN_REQUEST" },
  },
  live_participants: 12,
  present: [{ name: "Grace", picture: null }],
  waits: false,
};

let clock: ManualClock;

const answering = (body: unknown): Fetch => () => Promise.resolve({ json: () => Promise.resolve(body) });
const read = (fetch: Fetch) => readInvitation(options, { fetch, clock });
const refusal = (code: number, name: string) => ({ success: false, error: { code, name, message: `${name} it is` } });

beforeEach(() => {
  clock = new ManualClock();
});

describe("an invitation", () => {
  it("is asked for with the token in a header, never in the address", async () => {
    const calls: [string, RequestInit][] = [];
    await read((url, init) => {
      calls.push([url, init]);
      return answering({ success: true, data })(url, init);
    });
    expect(calls).toHaveLength(1);
    expect(calls[0]![0]).toBe("https://meet.example.org/v2/invitation");
    expect(calls[0]![1]).toMatchObject({ headers: { Authorization: "Bearer a.b.c" }, credentials: "omit" });
  });

  it("says who, where, and what one may do", async () => {
    expect(await read(answering({ success: true, data }))).toEqual({
      meeting: { id: "m", title: "Weekly", viewType: "WEBINAR" },
      participant: { id: "p", name: "Ada", picture: null, presetName: "webinar_viewer" },
      may: {
        editDisplayName: true,
        audio: "CAN_REQUEST",
        video: "CAN_REQUEST",
        screenshare: "NOT_ALLOWED",
        stage: { enabled: true, access: "CAN_REQUEST" },
      },
      liveParticipants: 12,
      present: [{ name: "Grace", picture: null }],
      waits: false,
    });
  });

  it.each([[401, "InvalidToken"], [403, "MeetingInactive"], [404, "NotFound"]])(
    "that is refused (%i) rejects with the server's reason",
    async (code, name) => {
      await expect(read(answering(refusal(code, name)))).rejects.toMatchObject({ name, message: `${name} it is` });
    },
  );

  it.each([
    ["a server in trouble", answering(refusal(500, "InternalError"))],
    ["too many questions", answering(refusal(429, "RateLimited"))],
    ["an answer that is none of ours", answering({ hello: 1 })],
    ["an answer of null", answering(null)],
    ["an answer that is no JSON", () => Promise.resolve({ json: () => Promise.reject(new SyntaxError()) })],
    ["no network", () => Promise.reject(new TypeError("Failed to fetch"))],
  ] satisfies [string, Fetch][])("is not known after %s", async (_, fetch) => {
    await expect(read(fetch)).rejects.toMatchObject({ name: "ConnectionFailed" });
  });

  it("is waited for three seconds and no longer", async () => {
    let failure: unknown;
    const silent: Fetch = (_, { signal }) =>
      new Promise((_resolve, reject) => signal!.addEventListener("abort", () => reject(new Error("aborted"))));
    void read(silent).catch((error: unknown) => (failure = error));
    await clock.advance(2_999);
    expect(failure).toBeUndefined();
    await clock.advance(1);
    await settle();
    expect(failure).toMatchObject({ name: "ConnectionFailed" });
  });
});

describe("what may be used at once", () => {
  const may = (audio: string, enabled: boolean, access: string) =>
    ({ may: { audio, stage: { enabled, access } } }) as unknown as Invitation;

  it.each([
    ["ALLOWED", false, "ALLOWED", true],
    ["CAN_REQUEST", false, "CAN_REQUEST", false],
    ["NOT_ALLOWED", false, "ALLOWED", false],
    ["ALLOWED", true, "ALLOWED", true],
    ["CAN_REQUEST", true, "ALLOWED", true],
    ["ALLOWED", true, "CAN_REQUEST", false],
    ["NOT_ALLOWED", true, "ALLOWED", false],
  ])("of %s with a stage (%s, %s) is %s", (audio, enabled, access, expected) => {
    expect(mayUseAtOnce(may(audio, enabled, access), "audio")).toBe(expected);
  });
});
