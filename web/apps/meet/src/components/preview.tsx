/** One's own camera and microphone before others see and hear them. */

import type { JSX } from "preact";
import { toggleCamera, toggleMicrophone } from "../state/actions";
import type { Devices } from "../state/invited";
import type { RoomStore } from "../state/roomStore";
import { Avatar } from "./avatar";
import { RoundButton } from "./button";
import * as icons from "./icons";
import { LevelMeter } from "./levelMeter";
import { Video } from "./video";

interface PreviewProps {
  store: RoomStore;
  /** What there is a button for. */
  devices: Devices;
}

export function Preview({ store, devices }: PreviewProps): JSX.Element {
  const me = store.me.value;
  return (
    <div class="preview" data-testid="preview">
      <div class="preview-picture">
        {me.videoOn && me.videoTrack ? (
          <Video track={me.videoTrack} mirrored label="Your camera" />
        ) : (
          <div class="preview-off">
            <Avatar id={me.id || me.name} name={me.name} picture={me.picture} />
            <span>{devices.video ? cameraHint(store) : "You take part with your voice alone"}</span>
          </div>
        )}
        <div class="preview-controls">
          {devices.audio && (
            <RoundButton
              label={me.audioOn ? "Turn off microphone" : "Turn on microphone"}
              icon={me.audioOn ? <icons.Microphone /> : <icons.MicrophoneOff />}
              tone={me.audioOn ? "plain" : "off"}
              pressed={me.audioOn}
              testId="mic-toggle"
              onClick={() => void toggleMicrophone(store)}
            />
          )}
          {devices.video && (
            <RoundButton
              label={me.videoOn ? "Turn off camera" : "Turn on camera"}
              icon={me.videoOn ? <icons.Camera /> : <icons.CameraOff />}
              tone={me.videoOn ? "plain" : "off"}
              pressed={me.videoOn}
              testId="camera-toggle"
              onClick={() => void toggleCamera(store)}
            />
          )}
        </div>
      </div>
      {devices.audio && (
        <div class="preview-level">
          <icons.Microphone />
          <LevelMeter track={me.audioTrack} />
          <span class="faint" data-testid="mic-hint">
            {microphoneHint(store)}
          </span>
        </div>
      )}
    </div>
  );
}

function cameraHint(store: RoomStore): string {
  switch (store.meeting.self.mediaPermissions.video) {
    case "DENIED":
      return "This page may not use your camera. Allow it next to the address, then turn it on here.";
    case "SYSTEM_DENIED":
      return "Your system keeps the camera from the browser. Allow it in the system settings.";
    case "NO_DEVICES_AVAILABLE":
      return "No camera found. You can join without one.";
    case "COULD_NOT_START":
      return "Your camera could not be started. Another program may be using it.";
    default:
      return "Your camera is off";
  }
}

function microphoneHint(store: RoomStore): string {
  if (store.me.value.audioOn) return "Say something: the bars should move";
  switch (store.meeting.self.mediaPermissions.audio) {
    case "DENIED":
    case "SYSTEM_DENIED":
      return "The microphone is not allowed for this page";
    case "NO_DEVICES_AVAILABLE":
      return "No microphone found. You can listen without one.";
    case "COULD_NOT_START":
      return "The microphone could not be started";
    default:
      return "Your microphone is off";
  }
}
