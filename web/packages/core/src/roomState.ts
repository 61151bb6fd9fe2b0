/** Where one is with a meeting, and where one is once the server has said why one is out. */

export type RoomState =
  | "init"
  | "waitlisted"
  | "joined"
  | "disconnected"
  | "left"
  | "kicked"
  | "rejected"
  | "ended"
  | "replaced"
  | "failed";

const AFTER: ReadonlyMap<string, RoomState> = new Map([
  ["left", "left"],
  ["kicked", "kicked"],
  ["rejected", "rejected"],
  ["ended", "ended"],
  ["replaced", "replaced"],
  ["timeout", "failed"],
  ["timed_out", "failed"],
]);

/** `reason` is that of `session_left`; one that a later server has is a plain leaving. */
export function roomStateAfter(reason: string): RoomState {
  return AFTER.get(reason) ?? "left";
}
