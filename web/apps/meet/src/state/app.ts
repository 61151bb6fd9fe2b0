/** Which screen is shown, and the one meeting behind it. */

import { signal } from "@preact/signals";
import { Client, type Meeting, type RoomState } from "@rostrum/core";
import { type Launch, parseLaunch } from "./launch";
import { RoomStore } from "./roomStore";

export type Screen =
  | { kind: "problem"; title: string; advice: string; canRetry: boolean }
  | { kind: "starting" }
  | { kind: "setup"; store: RoomStore; watchesOnly: boolean }
  | { kind: "room"; store: RoomStore }
  | { kind: "ended"; reason: RoomState; canRejoin: boolean };

export type StartMeeting = (token: string, defaults: { audio: boolean; video: boolean }) => Promise<Meeting>;

const PROBLEMS = {
  missing: {
    title: "This link is not complete",
    advice: "The part that lets you in is missing. Open the whole invitation link, or ask the host to send it again.",
  },
  invalid: {
    title: "This link does not work",
    advice: "It may have been cut off when it was copied. Ask the host for a new invitation.",
  },
  expired: {
    title: "This link has expired",
    advice: "Invitations work for a limited time. Ask the host for a new one.",
  },
};

export const screen = signal<Screen>({ kind: "starting" });
let start: StartMeeting = (token, defaults) => Client.init({ authToken: token, defaults });

/** Shows what the address asks for. `startMeeting` is replaced by the development fixture. */
export async function launch(startMeeting?: StartMeeting): Promise<void> {
  if (startMeeting !== undefined) start = startMeeting;
  const found = parseLaunch(location.hash, new Date());
  if (found.kind === "problem") {
    screen.value = { kind: "problem", ...PROBLEMS[found.problem], canRetry: false };
    return;
  }
  await prepare(found);
}

async function prepare({ token, watchesOnly }: Extract<Launch, { kind: "ready" }>): Promise<void> {
  screen.value = { kind: "starting" };
  const meeting = await start(token, { audio: !watchesOnly, video: !watchesOnly });
  // For end-to-end tests and the browser's console: the SDK object of this page.
  Object.assign(window, { rostrum: meeting });
  const store = new RoomStore(meeting);
  meeting.self.on("roomJoined", () => {
    screen.value = { kind: "room", store };
  });
  meeting.self.on("roomLeft", ({ state }) => {
    screen.value = { kind: "ended", reason: state, canRejoin: state !== "kicked" };
  });
  screen.value = { kind: "setup", store, watchesOnly };
}
