/** Which screen is shown, and the one meeting behind it. */

import { signal } from "@preact/signals";
import { Client, type Meeting, type RoomState } from "@rostrum/core";
import { type Launch, parseLaunch } from "./launch";
import { forgetInside, rememberInside, wasInside } from "./reload";
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
  const before = wasInside(token);
  const meeting = await start(token, before ?? { audio: !watchesOnly, video: !watchesOnly });
  // For end-to-end tests and the browser's console: the SDK object of this page.
  Object.assign(window, { rostrum: meeting });
  const store = new RoomStore(meeting);
  const setup: Screen = { kind: "setup", store, watchesOnly };
  followRoom(meeting, store, token);
  if (before === null || !(await rejoined(meeting))) screen.value = setup;
}

function followRoom(meeting: Meeting, store: RoomStore, token: string): void {
  const { self } = meeting;
  let pageCloses = false;
  const remember = () => {
    if (self.roomJoined && !pageCloses) {
      rememberInside(token, { audio: self.audioEnabled, video: self.videoEnabled });
    }
  };
  // A page that goes says goodbye, so that nobody waits for it to come back.
  const goodbye = () => {
    pageCloses = true;
    void meeting.leave();
  };
  self.on("audioUpdate", remember);
  self.on("videoUpdate", remember);
  self.on("roomJoined", () => {
    remember();
    window.addEventListener("pagehide", goodbye);
    screen.value = { kind: "room", store };
  });
  self.on("roomLeft", ({ state }) => {
    window.removeEventListener("pagehide", goodbye);
    if (!pageCloses) forgetInside();
    screen.value = { kind: "ended", reason: state, canRejoin: state !== "kicked" };
  });
}

/** After a reload; what stands against it now is told by the setup screen when one tries again. */
async function rejoined(meeting: Meeting): Promise<boolean> {
  try {
    await meeting.join();
    return true;
  } catch {
    forgetInside();
    return false;
  }
}
