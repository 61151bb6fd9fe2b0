/** How tiles share a surface: pure arithmetic, in CSS pixels. */

export interface Grid {
  columns: number;
  rows: number;
  tileWidth: number;
  tileHeight: number;
}

export const TILE_RATIO = 16 / 9;
/** On a narrow surface few tiles look better upright than as thin strips. */
const RATIOS_NARROW = [16 / 9, 4 / 3, 1, 3 / 4];

/** The number of columns that makes `count` tiles as large as they can be. */
export function bestGrid(count: number, width: number, height: number, gap: number): Grid {
  let best: Grid = { columns: 1, rows: Math.max(1, count), tileWidth: 0, tileHeight: 0 };
  const ratios = width < height ? RATIOS_NARROW : [TILE_RATIO];
  for (const ratio of ratios) {
    for (let columns = 1; columns <= Math.max(1, count); columns++) {
      const grid = gridOf(columns, count, width, height, gap, ratio);
      if (area(grid) > area(best) * 1.05) best = grid;
    }
  }
  return best;
}

function gridOf(columns: number, count: number, width: number, height: number, gap: number, ratio: number): Grid {
  const rows = Math.max(1, Math.ceil(count / columns));
  const maxWidth = (width - gap * (columns - 1)) / columns;
  const maxHeight = (height - gap * (rows - 1)) / rows;
  const tileWidth = Math.max(0, Math.floor(Math.min(maxWidth, maxHeight * ratio)));
  return { columns, rows, tileWidth, tileHeight: Math.floor(tileWidth / ratio) };
}

function area(grid: Grid): number {
  return grid.tileWidth * grid.tileHeight;
}

/** People on a page of which no video can be shown. */
const WITHOUT_VIDEO = 25;

/** How many people are on a page: no more than the server sends videos of, nor than find a place. */
export function pageSizeOf(mostVideos: number, places: number): number {
  return Math.min(mostVideos, places) || WITHOUT_VIDEO;
}

/** The tiles of one page; a page past the end is the last one. */
export function pageOf<Item>(items: Item[], page: number, size: number): { page: number; pages: number; items: Item[] } {
  const pages = Math.max(1, Math.ceil(items.length / size));
  const current = Math.min(Math.max(0, page), pages - 1);
  return { page: current, pages, items: items.slice(current * size, (current + 1) * size) };
}
