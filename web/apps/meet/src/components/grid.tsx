/** The people on the stage, as large as they fit, page by page. */

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { bestGrid, pageOf } from "../state/layout";
import type { Person } from "../state/people";
import type { RoomStore } from "../state/roomStore";
import { wantLayers } from "../state/wantedLayers";
import { RoundButton } from "./button";
import { Next, Previous } from "./icons";
import { Tile } from "./tile";
import { useSize } from "./useSize";

const GAP = 10;
const NARROW = 600;

export function Grid({ store, people }: { store: RoomStore; people: Person[] }): JSX.Element {
  const [surface, { width, height }] = useSize<HTMLDivElement>();
  const [wantedPage, setPage] = useState(0);
  const limits = store.meeting.self.config.maxVideoStreams;
  const pageSize = Math.max(1, width < NARROW ? limits.mobile : limits.desktop);
  const { page, pages, items } = pageOf(people, wantedPage, pageSize);
  const grid = bestGrid(items.length, width, height, GAP);
  const shown = items.map((person) => person.id).join(" ");
  useEffect(() => {
    if (grid.tileWidth > 0) wantLayers(store.meeting, people, new Set(items), grid.tileWidth);
  }, [store, people, shown, grid.tileWidth]);
  return (
    <div class="grid-area">
      {pages > 1 && (
        <RoundButton label="Previous page" icon={<Previous />} onClick={() => setPage(page - 1)} testId="page-previous" />
      )}
      <div class="grid" ref={surface} data-testid="grid">
        {width > 0 &&
          items.map((person) => (
            <Tile
              key={person.id}
              person={person}
              speaking={store.speaking.value.has(person.id)}
              width={grid.tileWidth}
              height={grid.tileHeight}
            />
          ))}
      </div>
      {pages > 1 && (
        <>
          <RoundButton label="Next page" icon={<Next />} onClick={() => setPage(page + 1)} testId="page-next" />
          <span class="page-number" aria-live="polite">
            {page + 1} / {pages}
          </span>
        </>
      )}
    </div>
  );
}
