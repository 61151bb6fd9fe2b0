import { describe, expect, it } from "vitest";
import { bestGrid, pageOf, pageSizeOf } from "../src/state/layout";

const GAP = 10;

describe("a grid", () => {
  it.each(Array.from({ length: 30 }, (_, index) => index + 1))("of %i tiles fits its surface", (count) => {
    for (const [width, height] of [[1250, 690], [380, 700], [900, 680]] as const) {
      const grid = bestGrid(count, width, height, GAP);
      expect(grid.columns * grid.rows).toBeGreaterThanOrEqual(count);
      expect(grid.columns * grid.tileWidth + (grid.columns - 1) * GAP).toBeLessThanOrEqual(width);
      expect(grid.rows * grid.tileHeight + (grid.rows - 1) * GAP).toBeLessThanOrEqual(height);
      expect(grid.tileWidth).toBeGreaterThan(40);
    }
  });

  it.each([[1, 1], [2, 2], [4, 2], [9, 3], [16, 4], [25, 5]])("of %i is %i wide on a desktop", (count, columns) => {
    expect(bestGrid(count, 1250, 690, GAP).columns).toBe(columns);
  });

  it("stacks two people on a phone", () => {
    expect(bestGrid(2, 380, 700, GAP)).toMatchObject({ columns: 1, rows: 2 });
  });
});

describe("pages", () => {
  const items = [1, 2, 3, 4, 5];

  it("hold as many as asked for, the last one the rest", () => {
    expect(pageOf(items, 0, 2)).toEqual({ page: 0, pages: 3, items: [1, 2] });
    expect(pageOf(items, 2, 2)).toEqual({ page: 2, pages: 3, items: [5] });
  });

  it("have no more people than videos come, nor than find a place", () => {
    expect([pageSizeOf(25, 6), pageSizeOf(4, 6), pageSizeOf(1, 1)]).toEqual([6, 4, 1]);
  });

  it("of which no video comes have people all the same", () => {
    expect(pageSizeOf(0, 0)).toBeGreaterThan(1);
  });

  it("that are gone give way to the last there is", () => {
    expect(pageOf(items, 7, 2)).toEqual({ page: 2, pages: 3, items: [5] });
    expect(pageOf([], 3, 2)).toEqual({ page: 0, pages: 1, items: [] });
  });
});
