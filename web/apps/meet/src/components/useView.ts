import type { Participants, View } from "@rostrum/core";
import { useEffect } from "preact/hooks";

/** Has the server send what is on the page; null while that is not known yet. */
export function useView(participants: Participants, view: View | null): void {
  useEffect(() => {
    if (view === null) return;
    participants.setView(view).catch((error: unknown) => console.debug("The view could not be chosen:", error));
  }, [participants, JSON.stringify(view)]);
}
