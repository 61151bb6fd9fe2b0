import { expect, it } from "vitest";
import { backoffDelay } from "../src/connection/backoff";

it("doubles up to ten seconds", () => {
  const longest = [0, 1, 2, 3, 4, 9].map((attempt) => backoffDelay(attempt, 1));
  expect(longest).toEqual([1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
});

it("spreads over the whole time, down to none", () => {
  expect(backoffDelay(3, 0)).toBe(0);
  expect(backoffDelay(3, 0.5)).toBe(4_000);
});
