/** Before the meeting: a look at oneself, the devices, the name, and the way in. */

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { Button } from "../components/button";
import { DevicePickers } from "../components/devicePickers";
import { Preview } from "../components/preview";
import type { RoomStore } from "../state/roomStore";

export function Setup({ store, watchesOnly }: { store: RoomStore; watchesOnly: boolean }): JSX.Element {
  const [name, setName] = useState(store.meeting.self.name);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const join = async () => {
    setBusy(true);
    setProblem(null);
    try {
      const wanted = name.trim();
      if (wanted !== "" && wanted !== store.meeting.self.name) store.meeting.self.setName(wanted);
      await store.meeting.join();
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <main class="centered">
      <form
        class={`card setup${watchesOnly ? " narrow" : ""}`}
        data-testid="setup"
        onSubmit={(event) => {
          event.preventDefault();
          void join();
        }}
      >
        {!watchesOnly && <Preview store={store} />}
        <div class="setup-side">
          <h1>{watchesOnly ? "Ready to watch?" : "Ready to join?"}</h1>
          {watchesOnly && <p>You join as a viewer. Your camera and microphone stay off.</p>}
          <div class="field">
            <label for="name">Your name</label>
            <input
              id="name"
              data-testid="name-input"
              value={name}
              maxLength={128}
              autocomplete="name"
              placeholder="As on your invitation"
              onInput={(event) => setName(event.currentTarget.value)}
            />
          </div>
          <DevicePickers self={store.meeting.self} {...(watchesOnly ? { kinds: ["audiooutput"] } : {})} />
          {problem !== null && (
            <p class="problem" role="alert" data-testid="join-error">
              {problem}
            </p>
          )}
          <Button tone="primary" type="submit" disabled={busy} testId="join-button">
            {busy ? "Joining…" : "Join the meeting"}
          </Button>
        </div>
      </form>
    </main>
  );
}
