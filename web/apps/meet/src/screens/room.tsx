/** The meeting itself. */

import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { Banners } from "../components/banner";
import { ControlBar } from "../components/controlBar";
import { HelpDialog, SettingsDialog } from "../components/dialogs";
import { Grid } from "../components/grid";
import { ParticipantsPanel } from "../components/participantsPanel";
import { ScreenView } from "../components/screenView";
import { StageDialog } from "../components/stageDialog";
import { Sound } from "../components/video";
import { WaitingNotice } from "../components/waitingNotice";
import { dialog, panel } from "../state/panels";
import type { RoomStore } from "../state/roomStore";
import { handleKey } from "../state/shortcuts";

export function Room({ store }: { store: RoomStore }): JSX.Element {
  useEffect(() => {
    const listener = (event: KeyboardEvent) => {
      if (handleKey(event, store)) event.preventDefault();
    };
    window.addEventListener("keydown", listener);
    return () => window.removeEventListener("keydown", listener);
  }, [store]);
  const people = store.onStage.value;
  const watching = store.watching.value.length;
  return (
    <div class="room" data-testid="room">
      <header class="room-head">
        <h1>{store.title.value || "Meeting"}</h1>
        {watching > 0 && <span class="pill">{watching} watching</span>}
        <span class="alone" role="status" data-testid="alone">
          {store.alone.value && "You are the only one here. Others come in by invitations of their own."}
        </span>
      </header>
      <Banners store={store} />
      <WaitingNotice store={store} />
      <div class={`room-body${panel.value !== null ? " with-panel" : ""}`}>
        <main class="stage" aria-label="Stage">
          {people.length === 0 ? (
            <p class="hint" data-testid="empty-stage">
              Nobody is on the stage yet. It will start here.
            </p>
          ) : store.sharing.value.length > 0 ? (
            <ScreenView store={store} people={people} />
          ) : (
            <Grid store={store} people={people} />
          )}
        </main>
        {panel.value === "participants" && <ParticipantsPanel store={store} />}
      </div>
      <ControlBar store={store} />
      <Sounds store={store} />
      <StageDialog store={store} />
      {dialog.value === "settings" && <SettingsDialog store={store} />}
      {dialog.value === "help" && <HelpDialog />}
    </div>
  );
}

function Sounds({ store }: { store: RoomStore }): JSX.Element {
  const sink = store.meeting.self.speakerDeviceId;
  const tracks = store.others.value.flatMap((person) =>
    [person.audioTrack, person.screenAudioTrack].filter((track) => track !== null),
  );
  return (
    <div hidden>
      {tracks.map((track) => (
        <Sound key={track.id} track={track} sinkId={sink} />
      ))}
    </div>
  );
}
