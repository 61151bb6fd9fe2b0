/** The people on the stage, as large as they fit, page by page. */

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { bestGrid, pageOf, pageSizeOf } from "../state/layout";
import type { Person } from "../state/people";
import type { RoomStore } from "../state/roomStore";
import { RoundButton } from "./button";
import { Next, Previous } from "./icons";
import { Tile } from "./tile";
import { useSize } from "./useSize";
import { useView } from "./useView";

const GAP = 10;
const NARROW = 600;

export function Grid({ store, people }: { store: RoomStore; people: Person[] }): JSX.Element {
  const [surface, { width, height }] = useSize<HTMLDivElement>();
  const [wantedPage, setPage] = useState(0);
  const { maxVideoStreams, config } = store.meeting.self;
  const pageSize = pageSizeOf(maxVideoStreams, width < NARROW ? config.maxVideoStreams.mobile : maxVideoStreams);
  const { page, pages, items } = pageOf(people, wantedPage, pageSize);
  // Before the first measurement it is not known how many are on the page.
  useView(store.meeting.participants, width > 0 ? { mode: "page", peerIds: others(items) } : null);
  const grid = bestGrid(items.length, width, height, GAP);
  return (
    <div class="grid-area">
      <div class="grid" ref={surface} data-testid="grid">
        {width > 0 &&
          items.map((person) => (
            <Tile
              key={person.id}
              person={person}
              participants={store.meeting.participants}
              speaking={store.speaking.value.has(person.id)}
              width={grid.tileWidth}
              height={grid.tileHeight}
            />
          ))}
      </div>
      {pages > 1 && <Pager page={page} pages={pages} onTurn={setPage} />}
    </div>
  );
}

function others(people: Person[]): string[] {
  return people.filter((person) => !person.isSelf).map((person) => person.id);
}

function Pager({ page, pages, onTurn }: { page: number; pages: number; onTurn: (page: number) => void }): JSX.Element {
  return (
    <div class="pager">
      <RoundButton
        label="Previous page"
        icon={<Previous />}
        disabled={page === 0}
        testId="page-previous"
        onClick={() => onTurn(page - 1)}
      />
      <span aria-live="polite">
        {page + 1} / {pages}
      </span>
      <RoundButton
        label="Next page"
        icon={<Next />}
        disabled={page === pages - 1}
        testId="page-next"
        onClick={() => onTurn(page + 1)}
      />
    </div>
  );
}
