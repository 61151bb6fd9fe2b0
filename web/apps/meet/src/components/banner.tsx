/** What stands between us and the others, if anything: a lost connection, or a browser that keeps silent. */

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { soundBlocked } from "../state/panels";
import type { RoomStore } from "../state/roomStore";
import { Button } from "./button";
import * as icons from "./icons";

const SHOW_RECONNECTED_MS = 3_000;

export function Banners({ store }: { store: RoomStore }): JSX.Element {
  return (
    <div class="banners" role="status" aria-live="polite">
      <ConnectionBanner store={store} />
      {soundBlocked.value && (
        <div class="banner" data-testid="sound-banner">
          <icons.Speaker />
          <span>Your browser keeps the sound off until you click.</span>
          <Button small tone="primary" onClick={() => (soundBlocked.value = false)} testId="unblock-sound">
            Click to hear
          </Button>
        </div>
      )}
    </div>
  );
}

function ConnectionBanner({ store }: { store: RoomStore }): JSX.Element | null {
  const { state, reconnected, reconnectionAttempt } = store.socket.value;
  const [fresh, setFresh] = useState(false);
  useEffect(() => {
    if (!reconnected) return;
    setFresh(true);
    const timer = setTimeout(() => setFresh(false), SHOW_RECONNECTED_MS);
    return () => clearTimeout(timer);
  }, [reconnected]);
  if (state === "reconnecting") {
    return (
      <div class="banner warning" data-testid="connection-banner" data-state="reconnecting">
        <span class="spinner" />
        <span>
          The connection was lost. Reconnecting{reconnectionAttempt > 1 ? ` (attempt ${reconnectionAttempt})` : ""}…
        </span>
      </div>
    );
  }
  if (store.mediaTrouble.value) {
    return (
      <div class="banner warning" data-testid="connection-banner" data-state="media">
        <span class="spinner" />
        <span>Video and sound are interrupted. Finding another way…</span>
      </div>
    );
  }
  if (reconnected && fresh) {
    return (
      <div class="banner good" data-testid="connection-banner" data-state="reconnected">
        <icons.Check />
        <span>You are connected again.</span>
      </div>
    );
  }
  return null;
}
