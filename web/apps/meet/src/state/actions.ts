/** What the buttons and keys of the room do. */

import type { RoomStore } from "./roomStore";
import { attempt } from "./toasts";

export function toggleMicrophone({ meeting }: RoomStore): Promise<void> {
  const { self } = meeting;
  return attempt(() => (self.audioEnabled ? self.disableAudio() : self.enableAudio()));
}

export function toggleCamera({ meeting }: RoomStore): Promise<void> {
  const { self } = meeting;
  return attempt(() => (self.videoEnabled ? self.disableVideo() : self.enableVideo()));
}

export function toggleScreen({ meeting }: RoomStore): Promise<void> {
  const { self } = meeting;
  return attempt(() => (self.screenShareEnabled ? self.disableScreenShare() : self.enableScreenShare()));
}

/** The one stage button: ask, take the question back, or leave. */
export function stageStep({ meeting }: RoomStore): Promise<void> {
  const { stage } = meeting;
  return attempt(() => {
    switch (stage.status) {
      case "OFF_STAGE":
        return stage.requestAccess();
      case "REQUESTED_TO_JOIN_STAGE":
        return stage.cancelRequestAccess();
      case "ACCEPTED_TO_JOIN_STAGE":
        return stage.join();
      case "ON_STAGE":
        return stage.leave();
    }
  });
}

export function leaveMeeting({ meeting }: RoomStore): Promise<void> {
  return attempt(() => meeting.leave());
}
