/** Before the meeting: where one goes and as whom, a look at oneself, the devices, and the way in. */

import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Button } from "../components/button";
import { DevicePickers } from "../components/devicePickers";
import { Preview } from "../components/preview";
import { launch } from "../state/app";
import { crowd, type Devices, type Invited, joinProblem, retryAfter } from "../state/invited";
import type { RoomStore } from "../state/roomStore";

interface SetupProps {
  store: RoomStore;
  invited: Invited;
  devices: Devices;
}

export function Setup({ store, invited, devices }: SetupProps): JSX.Element {
  const { self } = store.meeting;
  const [name, setName] = useState(self.name);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState(invited.kind === "refused" ? invited.problem : null);
  // Seconds until it tries by itself, which it does once.
  const [again, setAgain] = useState<number | null>(null);
  const triedAgain = useRef(false);
  const refused = invited.kind === "refused";
  const sends = devices.audio || devices.video;
  const join = async () => {
    setBusy(true);
    setProblem(null);
    setAgain(null);
    try {
      const wanted = name.trim();
      if (wanted !== "" && wanted !== self.name) self.setName(wanted);
      await store.meeting.join();
    } catch (error) {
      setProblem(joinProblem(error));
      if (!triedAgain.current) setAgain(retryAfter(error));
    } finally {
      setBusy(false);
    }
  };
  useEffect(() => {
    if (again === null) return;
    const timer = setTimeout(() => {
      if (again > 1) return setAgain(again - 1);
      triedAgain.current = true;
      void join();
    }, 1_000);
    return () => clearTimeout(timer);
  }, [again]);
  return (
    <main class="centered">
      <form
        class={`card setup${sends ? "" : " narrow"}`}
        data-testid="setup"
        onSubmit={(event) => {
          event.preventDefault();
          void (refused ? launch() : join());
        }}
      >
        {sends && <Preview store={store} devices={devices} />}
        <div class="setup-side">
          <Heading invited={invited} />
          {!refused && <Name invited={invited} name={name} onName={setName} />}
          {!refused && <DevicePickers self={self} kinds={pickersOf(devices)} />}
          {!refused && !sends && <p>{watchingHint(invited)}</p>}
          {problem !== null && (
            <p class="problem" role="alert" data-testid="join-error">
              {problem}
            </p>
          )}
          {again !== null && (
            <p data-testid="join-again" aria-live="off">
              Trying again in {again} s.
            </p>
          )}
          <Button tone="primary" type="submit" disabled={busy} testId="join-button">
            {busy ? "Joining…" : refused ? "Try again" : asks(invited) ? "Ask to join" : "Join the meeting"}
          </Button>
        </div>
      </form>
    </main>
  );
}

/** Whether somebody has to let one in. */
function asks(invited: Invited): boolean {
  return invited.kind === "good" && invited.invitation.waits;
}

function Heading({ invited }: { invited: Invited }): JSX.Element {
  if (invited.kind === "refused") return <h1>You cannot join this meeting</h1>;
  if (invited.kind === "unknown") return <h1>Ready to join?</h1>;
  const { meeting } = invited.invitation;
  return (
    <header class="setup-head">
      <h1 data-testid="meeting-title">{meeting.title || "Ready to join?"}</h1>
      <p data-testid="crowd">{crowd(invited.invitation)}</p>
      {asks(invited) && <p data-testid="waits">The host lets people in: you will wait for a moment.</p>}
    </header>
  );
}

interface NameProps {
  invited: Invited;
  name: string;
  onName: (name: string) => void;
}

function Name({ invited, name, onName }: NameProps): JSX.Element {
  const known = invited.kind === "good";
  if (known && !invited.invitation.may.editDisplayName) {
    return (
      <p class="joining-as" data-testid="joining-as">
        Joining as <strong>{name}</strong>
      </p>
    );
  }
  return (
    <div class="field">
      <label for="name">{known ? "Joining as" : "Your name"}</label>
      <input
        id="name"
        data-testid="name-input"
        value={name}
        maxLength={128}
        autocomplete="name"
        placeholder={known ? invited.invitation.participant.name : "As on your invitation"}
        onInput={(event) => onName(event.currentTarget.value)}
      />
    </div>
  );
}

function pickersOf({ audio, video }: Devices): MediaDeviceKind[] {
  return [...(video ? ["videoinput" as const] : []), ...(audio ? ["audioinput" as const] : []), "audiooutput"];
}

function watchingHint(invited: Invited): string {
  const stage = invited.kind === "good" ? invited.invitation.may.stage : null;
  const quiet = "You join as a viewer. Your camera and microphone stay off";
  return stage?.enabled && stage.access === "CAN_REQUEST" ? `${quiet}; inside you can ask to join the stage.` : `${quiet}.`;
}
