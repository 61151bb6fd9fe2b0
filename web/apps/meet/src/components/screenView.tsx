/** A shared screen, large, with the people beside it. */

import { useState } from "preact/hooks";
import type { JSX } from "preact";
import { toggleScreen } from "../state/actions";
import type { Person } from "../state/people";
import type { RoomStore } from "../state/roomStore";
import { Button } from "./button";
import { EncryptedNote } from "./encryptedNote";
import { Tile } from "./tile";
import { useView } from "./useView";
import { Video } from "./video";

/** Speakers whose videos a view follows at most. */
const MOST_FOLLOWED = 64;

export function ScreenView({ store, people }: { store: RoomStore; people: Person[] }): JSX.Element {
  const sharing = store.sharing.value;
  const { participants } = store.meeting;
  const most = store.meeting.self.maxVideoStreams;
  const others = people.filter((person) => !person.isSelf).map((person) => person.id);
  useView(
    participants,
    others.length > most ? { mode: "speakers", count: Math.min(most, MOST_FOLLOWED) } : { mode: "page", peerIds: others },
  );
  const [chosen, choose] = useState<string | null>(null);
  // Someone else's screen comes first: one's own is on one's own monitor.
  const main =
    sharing.find((person) => person.id === chosen) ?? sharing.find((person) => !person.isSelf) ?? sharing[0]!;
  return (
    <div class="screen-view" data-testid="screen-view">
      <section class="screen-main" aria-label={main.isSelf ? "Your screen" : `Screen of ${main.name}`}>
        {main.screenProblem !== null ? (
          <EncryptedNote problem={main.screenProblem} testId="screen-encrypted" />
        ) : main.screenTrack ? (
          <Video
            track={main.screenTrack}
            fit="contain"
            label={`Screen of ${main.name}`}
            shows={main.screenPublication}
            participants={participants}
          />
        ) : (
          <p class="hint">The screen is on its way…</p>
        )}
        <div class="screen-label">
          <span>{main.isSelf ? "You are sharing your screen" : `${main.name} is sharing`}</span>
          {main.isSelf && (
            <Button tone="danger" small onClick={() => void toggleScreen(store)} testId="screen-stop">
              Stop sharing
            </Button>
          )}
          {sharing.length > 1 &&
            sharing
              .filter((person) => person.id !== main.id)
              .map((person) => (
                <Button key={person.id} small onClick={() => choose(person.id)}>
                  Show {person.isSelf ? "yours" : person.name}
                </Button>
              ))}
        </div>
      </section>
      <div class="strip">
        {people.map((person) => (
          <Tile key={person.id} person={person} participants={participants} speaking={store.speaking.value.has(person.id)} />
        ))}
      </div>
    </div>
  );
}
