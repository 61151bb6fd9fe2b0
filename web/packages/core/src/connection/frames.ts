/** Telling frames apart: a response has an `id` and `ok`, an event has a `seq`. */

import type { EventFrame, Failure, Success } from "@rostrum/protocol";

export type Frame =
  | { kind: "response"; response: Success | Failure }
  | { kind: "event"; frame: EventFrame }
  | { kind: "unknown" };

export function parseFrame(text: string): Frame {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { kind: "unknown" };
  }
  if (typeof value !== "object" || value === null) return { kind: "unknown" };
  if ("ok" in value && "id" in value) return { kind: "response", response: value as Success | Failure };
  if ("seq" in value && "event" in value) return { kind: "event", frame: value as EventFrame };
  return { kind: "unknown" };
}
