/** Settings and help. */

import type { JSX } from "preact";
import { dialog } from "../state/panels";
import type { RoomStore } from "../state/roomStore";
import { SHORTCUTS } from "../state/shortcuts";
import { DevicePickers } from "./devicePickers";
import { LevelMeter } from "./levelMeter";
import { Modal } from "./modal";

const close = () => {
  dialog.value = null;
};

export function SettingsDialog({ store }: { store: RoomStore }): JSX.Element {
  const speaks = store.mayUse("audio") || store.mayUse("video");
  return (
    <Modal title="Settings" onClose={close} testId="settings-dialog">
      <DevicePickers self={store.meeting.self} {...(speaks ? {} : { kinds: ["audiooutput"] })} />
      {speaks && <LevelMeter track={store.me.value.audioTrack} />}
    </Modal>
  );
}

export function HelpDialog(): JSX.Element {
  return (
    <Modal title="Keyboard shortcuts" onClose={close} testId="help-dialog">
      <dl class="shortcuts">
        {SHORTCUTS.map(({ key, label }) => (
          <div key={key}>
            <dt>
              <kbd>{key === "Escape" ? "Esc" : key}</kbd>
            </dt>
            <dd>{label}</dd>
          </div>
        ))}
      </dl>
    </Modal>
  );
}
