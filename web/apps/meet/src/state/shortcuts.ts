/** Keys of the room. The help dialog lists them from here. */

import { leaveMeeting, stageStep, toggleCamera, toggleMicrophone, toggleScreen } from "./actions";
import { closeTop, dialog, togglePanel } from "./panels";
import type { RoomStore } from "./roomStore";

export interface Shortcut {
  key: string;
  label: string;
  run(store: RoomStore): void;
}

export const SHORTCUTS: Shortcut[] = [
  { key: "m", label: "Microphone on or off", run: (store) => ifAllowed(store, "audio", toggleMicrophone) },
  { key: "v", label: "Camera on or off", run: (store) => ifAllowed(store, "video", toggleCamera) },
  { key: "s", label: "Share your screen, or stop", run: (store) => ifAllowed(store, "screenshare", toggleScreen) },
  { key: "h", label: "Ask to join the stage, or take it back", run: (store) => askForStage(store) },
  { key: "p", label: "People", run: () => togglePanel("participants") },
  { key: ",", label: "Settings", run: () => (dialog.value = "settings") },
  { key: "?", label: "This list", run: () => (dialog.value = "help") },
  { key: "Escape", label: "Close what is open", run: () => closeTop() },
  { key: "L", label: "Leave the meeting (with Shift)", run: (store) => void leaveMeeting(store) },
];

/** True when the key meant something. Typing into a field is never a shortcut. */
export function handleKey(event: KeyboardEvent, store: RoomStore): boolean {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return false;
  const target = event.target as HTMLElement | null;
  if (target?.closest("input, textarea, select, [contenteditable]") && event.key !== "Escape") return false;
  const shortcut = SHORTCUTS.find(({ key }) => key === event.key);
  shortcut?.run(store);
  return shortcut !== undefined;
}

function ifAllowed(
  store: RoomStore,
  kind: "audio" | "video" | "screenshare",
  action: (store: RoomStore) => Promise<void>,
): void {
  if (store.mayUse(kind)) void action(store);
}

function askForStage(store: RoomStore): void {
  const { enabled, status, access } = store.stage.value;
  if (!enabled || access === "NOT_ALLOWED") return;
  if (status === "OFF_STAGE" || status === "REQUESTED_TO_JOIN_STAGE") void stageStep(store);
}
