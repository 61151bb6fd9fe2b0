/** After the meeting: why it is over, and the way back where there is one. */

import type { RoomState } from "@rostrum/core";
import type { JSX } from "preact";
import { Button } from "../components/button";
import { launch } from "../state/app";

const TEXTS: Partial<Record<RoomState, { title: string; text: string }>> = {
  left: { title: "You left the meeting", text: "You can come back as long as your invitation is valid." },
  kicked: { title: "You were removed from the meeting", text: "A host took you out of this meeting." },
  rejected: {
    title: "You were not let in",
    text: "The host has turned down your request. If that was a mistake, tell them and open your link again.",
  },
  ended: { title: "The meeting has ended", text: "Thank you for being here." },
  replaced: { title: "You joined from another place", text: "This page was replaced by a newer one of yours." },
  failed: {
    title: "The connection was lost",
    text: "The meeting could not be reached again. Check your network, then rejoin.",
  },
};

export function Ended({ reason, canRejoin }: { reason: RoomState; canRejoin: boolean }): JSX.Element {
  const { title, text } = TEXTS[reason] ?? TEXTS.left!;
  return (
    <main class="centered">
      <section class="card notice" data-testid="ended" data-reason={reason}>
        <h1>{title}</h1>
        <p>{text}</p>
        {canRejoin && (
          <Button tone="primary" onClick={() => void launch()} testId="rejoin-button">
            Rejoin
          </Button>
        )}
      </section>
    </main>
  );
}
