/** The last step onto the stage: accepted or invited, one looks at oneself and says yes or no. */

import type { JSX } from "preact";
import type { RoomStore } from "../state/roomStore";
import { attempt } from "../state/toasts";
import { Button } from "./button";
import { Modal } from "./modal";
import { Preview } from "./preview";

export function StageDialog({ store }: { store: RoomStore }): JSX.Element | null {
  if (store.stage.value.status !== "ACCEPTED_TO_JOIN_STAGE") return null;
  const { meeting } = store;
  const { audio, video } = store.permissions.value.media;
  const devices = { audio: audio.canProduce !== "NOT_ALLOWED", video: video.canProduce !== "NOT_ALLOWED" };
  const decline = async () => {
    await meeting.self.disableAudio();
    await meeting.self.disableVideo();
    await meeting.stage.leave();
  };
  return (
    <Modal title="Join the stage" onClose={() => void attempt(decline)} testId="stage-dialog">
      <p>You can join the stage now. Everyone in the meeting will see and hear what you turn on.</p>
      <Preview store={store} devices={devices} />
      <div class="modal-actions">
        <Button tone="quiet" testId="stage-decline" onClick={() => void attempt(decline)}>
          Not now
        </Button>
        <Button tone="primary" testId="stage-join" onClick={() => void attempt(() => meeting.stage.join())}>
          Join the stage
        </Button>
      </div>
    </Modal>
  );
}
