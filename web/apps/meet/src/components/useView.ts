import type { Participants, View } from "@rostrum/core";
import { useEffect } from "preact/hooks";

/** Has the server send what is on the page, for as long as it is. */
export function useView(participants: Participants, view: View): void {
  useEffect(() => {
    participants.setView(view).catch((error: unknown) => console.debug("The view could not be chosen:", error));
  }, [participants, JSON.stringify(view)]);
}
