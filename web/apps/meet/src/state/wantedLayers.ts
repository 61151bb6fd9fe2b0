/** Asks the server for no more video than is shown: small layers for small tiles, none for other pages. */

import type { Meeting } from "@rostrum/core";
import { layerFor } from "./layout";
import type { Person } from "./people";

/** What was asked for last, by publication, so that each change is asked for once. */
const asked = new Map<string, { layer: number | null; paused: boolean }>();

export function wantLayers(meeting: Meeting, people: Person[], shown: ReadonlySet<Person>, tileWidth: number): void {
  const pixels = tileWidth * (globalThis.devicePixelRatio || 1);
  for (const person of people) {
    if (person.camera === null || person.videoTrack === null) continue;
    const { publicationId, encodings } = person.camera;
    const before = asked.get(publicationId) ?? { layer: null, paused: false };
    const paused = !shown.has(person);
    const layer = paused ? before.layer : layerFor(pixels, encodings);
    if (paused !== before.paused) detach(meeting.participants.setPaused(publicationId, paused));
    if (layer !== before.layer) detach(meeting.participants.setLayer(publicationId, layer));
    asked.set(publicationId, { layer, paused });
  }
}

/** A wish for a publication that just ended is refused; there is nothing to do about it. */
function detach(work: Promise<void>): void {
  work.catch((error: unknown) => console.debug("A layer could not be chosen:", error));
}
