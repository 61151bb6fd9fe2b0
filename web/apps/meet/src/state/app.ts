/** Which screen is shown, and the one meeting behind it. */

import { signal } from "@preact/signals";
import { Client, type ClientOptions, type Invitation, type Meeting, type RoomState } from "@rostrum/core";
import { type Devices, devicesOf, type Invited, lookUp } from "./invited";
import { parseLaunch, passphraseOf, videoCodecOf, wantsRelay } from "./launch";
import { forgetInside, rememberInside, wasInside } from "./reload";
import { toast } from "./toasts";
import { RoomStore } from "./roomStore";

export type Screen =
  | { kind: "problem"; title: string; advice: string; canRetry: boolean }
  | { kind: "starting" }
  | { kind: "setup"; store: RoomStore; invited: Invited; devices: Devices }
  | { kind: "waiting"; store: RoomStore; devices: Devices }
  | { kind: "room"; store: RoomStore }
  | { kind: "ended"; reason: RoomState; canRejoin: boolean };

/** What the page asks of the SDK; the development fixture puts its own in place. */
export interface Backend {
  invitation(token: string): Promise<Invitation>;
  start(options: ClientOptions): Promise<Meeting>;
}

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
let backend: Backend = {
  invitation: (authToken) => Client.invitation({ authToken }),
  start: (options) => Client.init(options),
};

/** Shows what the address asks for. */
export async function launch(otherBackend?: Backend): Promise<void> {
  if (otherBackend !== undefined) backend = otherBackend;
  const found = parseLaunch(location.hash, new Date());
  if (found.kind === "problem") {
    screen.value = { kind: "problem", ...PROBLEMS[found.problem], canRetry: false };
    return;
  }
  const before = wasInside(found.token);
  if (before === null || !(await wentBackIn(found.token, before))) await prepare(found.token);
}

/** To the setup screen, with what is known before the join. */
async function prepare(token: string): Promise<void> {
  screen.value = { kind: "starting" };
  const invited = await lookUp(backend.invitation(token));
  const devices = devicesOf(invited);
  const invitation = invited.kind === "good" ? invited.invitation : undefined;
  const store = await started({ authToken: token, defaults: devices, invitation });
  screen.value = { kind: "setup", store, invited, devices };
}

/** After a reload; what stands against it now is told by the setup screen. */
async function wentBackIn(token: string, before: Devices): Promise<boolean> {
  screen.value = { kind: "starting" };
  const { meeting } = await started({ authToken: token, defaults: before });
  try {
    await meeting.join();
    return true;
  } catch {
    forgetInside();
    await meeting.leave();
    return false;
  }
}

async function started(options: ClientOptions): Promise<RoomStore> {
  const videoCodec = videoCodecOf(location.hash);
  const overrides = {
    ...options.overrides,
    forceRelay: wantsRelay(location.hash),
    ...(videoCodec === undefined ? {} : { videoCodec }),
  };
  const passphrase = passphraseOf(location.hash);
  const e2ee = passphrase === null ? undefined : { passphrase };
  const meeting = await backend.start({ ...options, overrides, e2ee, awaitView: true });
  meeting.encryption?.on("failure", ({ message }) => toast(message, "bad"));
  // For end-to-end tests and the browser's console: the SDK object of this page.
  Object.assign(window, { rostrum: meeting });
  const store = new RoomStore(meeting);
  followRoom(meeting, store, options.authToken, { audio: true, video: true, ...options.defaults });
  return store;
}

function followRoom(meeting: Meeting, store: RoomStore, token: string, devices: Devices): void {
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
  self.on("waitlisted", () => {
    screen.value = { kind: "waiting", store, devices };
  });
  self.on("roomJoined", () => {
    remember();
    window.addEventListener("pagehide", goodbye);
    screen.value = { kind: "room", store };
  });
  self.on("roomLeft", ({ state }) => {
    window.removeEventListener("pagehide", goodbye);
    if (!pageCloses) forgetInside();
    screen.value = { kind: "ended", reason: state, canRejoin: state !== "kicked" && state !== "rejected" };
  });
}
