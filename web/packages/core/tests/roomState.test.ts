import { expect, test } from "vitest";
import { roomStateAfter } from "../src/roomState";

test("who lost a connection for too long has failed, and whoever was put out is told how", () => {
  expect(["timeout", "timed_out", "kicked", "rejected", "ended", "replaced"].map(roomStateAfter)).toEqual([
    "failed",
    "failed",
    "kicked",
    "rejected",
    "ended",
    "replaced",
  ]);
});

test("a reason that is not known is a plain leaving", () => {
  expect(["of a later server", "constructor", "__proto__"].map(roomStateAfter)).toEqual(["left", "left", "left"]);
});
