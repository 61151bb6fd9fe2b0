/** In the waiting room: where one is, how one will look to the others, and that somebody has to let one in. */

import type { JSX } from "preact";
import { Button } from "../components/button";
import { Preview } from "../components/preview";
import { leaveMeeting } from "../state/actions";
import type { Devices } from "../state/invited";
import type { RoomStore } from "../state/roomStore";

export function Waiting({ store, devices }: { store: RoomStore; devices: Devices }): JSX.Element {
  const sends = devices.audio || devices.video;
  const lost = store.socket.value.state === "reconnecting";
  return (
    <main class="centered">
      <section class={`card setup${sends ? "" : " narrow"}`} data-testid="waiting">
        {sends && <Preview store={store} devices={devices} />}
        <div class="setup-side">
          <header class="setup-head">
            <h1 data-testid="meeting-title">{store.title.value || "Almost there"}</h1>
            <p class="joining-as">
              Waiting as <strong>{store.me.value.name}</strong>
            </p>
          </header>
          <div class="waiting-state" role="status">
            <span class="waiting-dots" aria-hidden="true">
              <i />
              <i />
              <i />
            </span>
            <p data-testid="waiting-text">
              {lost ? "The connection was lost. Finding the way back…" : "The host will let you in. Stay on this page."}
            </p>
          </div>
          {sends && <p>Nobody sees or hears you before you are in.</p>}
          <Button onClick={() => void leaveMeeting(store)} testId="leave-button">
            Leave
          </Button>
        </div>
      </section>
    </main>
  );
}
