/** The bar at the bottom: what one may do, and nothing else. */

import type { JSX } from "preact";
import { leaveMeeting, stageStep, toggleCamera, toggleMicrophone, toggleScreen } from "../state/actions";
import { dialog, panel, togglePanel } from "../state/panels";
import type { Person } from "../state/people";
import type { RoomStore, StageView } from "../state/roomStore";
import { RoundButton } from "./button";
import * as icons from "./icons";

function microphoneLabel(me: Person): string {
  if (me.audioBlocked) return "Microphone, blocked by a host";
  return me.audioOn ? "Turn off microphone" : "Turn on microphone";
}

function peopleLabel(requests: number, waiting: number): string {
  const parts = ["People"];
  if (waiting > 0) parts.push(`${waiting} waiting to come in`);
  if (requests > 0) parts.push(`${requests} waiting for the stage`);
  return parts.join(", ");
}

export function ControlBar({ store }: { store: RoomStore }): JSX.Element {
  const me = store.me.value;
  const requests = store.stage.value.requests.length;
  const waiting = store.waiting.value.length;
  return (
    <nav class="control-bar" aria-label="Meeting controls">
      {store.mayUse("audio") && (
        <RoundButton
          label={microphoneLabel(me)}
          icon={me.audioOn ? <icons.Microphone /> : <icons.MicrophoneOff />}
          tone={me.audioOn ? "plain" : "off"}
          pressed={me.audioOn}
          shortcut="m"
          testId="mic-toggle"
          onClick={() => void toggleMicrophone(store)}
        />
      )}
      {store.mayUse("video") && (
        <RoundButton
          label={me.videoOn ? "Turn off camera" : "Turn on camera"}
          icon={me.videoOn ? <icons.Camera /> : <icons.CameraOff />}
          tone={me.videoOn ? "plain" : "off"}
          pressed={me.videoOn}
          shortcut="v"
          testId="camera-toggle"
          onClick={() => void toggleCamera(store)}
        />
      )}
      {store.mayUse("screenshare") && canShareScreen() && (
        <RoundButton
          label={me.screenOn ? "Stop sharing your screen" : "Share your screen"}
          icon={<icons.ScreenShare />}
          tone={me.screenOn ? "active" : "plain"}
          pressed={me.screenOn}
          shortcut="s"
          testId="screen-toggle"
          onClick={() => void toggleScreen(store)}
        />
      )}
      <StageButton store={store} />
      <RoundButton
        label={peopleLabel(requests, waiting)}
        icon={<icons.People />}
        tone={panel.value === "participants" ? "active" : "plain"}
        pressed={panel.value === "participants"}
        badge={requests + waiting}
        shortcut="p"
        testId="participants-toggle"
        onClick={() => togglePanel("participants")}
      />
      <RoundButton
        label="Settings"
        icon={<icons.Gear />}
        testId="settings-button"
        onClick={() => (dialog.value = "settings")}
      />
      <span class="wide-only">
        <RoundButton
          label="Keyboard shortcuts"
          icon={<icons.Question />}
          shortcut="?"
          testId="help-button"
          onClick={() => (dialog.value = "help")}
        />
      </span>
      <RoundButton
        label="Leave the meeting"
        icon={<icons.Leave />}
        tone="danger"
        testId="leave-button"
        onClick={() => void leaveMeeting(store)}
      />
    </nav>
  );
}

const STAGE_BUTTON: Record<StageView["status"], { label: string; caption: string; testId: string }> = {
  OFF_STAGE: { label: "Ask to join the stage", caption: "Ask to join", testId: "stage-request" },
  REQUESTED_TO_JOIN_STAGE: { label: "Take back your request", caption: "Requested", testId: "stage-cancel" },
  ACCEPTED_TO_JOIN_STAGE: { label: "Join the stage", caption: "Join stage", testId: "stage-join" },
  ON_STAGE: { label: "Leave the stage", caption: "Leave stage", testId: "stage-leave" },
};

function StageButton({ store }: { store: RoomStore }): JSX.Element | null {
  const { enabled, status, access } = store.stage.value;
  if (!enabled || access === "NOT_ALLOWED") return null;
  const { label, caption, testId } = STAGE_BUTTON[status];
  const asked = status === "REQUESTED_TO_JOIN_STAGE";
  const freely = status === "OFF_STAGE" && access === "ALLOWED";
  return (
    <RoundButton
      label={freely ? "Join the stage" : label}
      caption={freely ? "Join stage" : caption}
      icon={status === "ON_STAGE" ? <icons.StageIcon /> : <icons.Hand />}
      tone={asked ? "active" : "plain"}
      pressed={asked}
      shortcut="h"
      testId={testId}
      onClick={() => void stageStep(store)}
    />
  );
}

function canShareScreen(): boolean {
  return typeof navigator.mediaDevices?.getDisplayMedia === "function";
}
