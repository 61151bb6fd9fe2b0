/** Which requests are under way: each gets one response, or an error when the socket goes first. */

import type { AnyRequest, Failure, Success } from "@rostrum/protocol";
import type { Clock, TimerId } from "../clock";
import { ConnectionLostError, errorFromServer, RostrumError } from "../errors";

export const REQUEST_TIMEOUT_MS = 15_000;

type WithoutId<T> = T extends { id: number } ? Omit<T, "id"> : never;
/** A request before it has an id. */
export type RequestBody = WithoutId<AnyRequest>;

const REPEATABLE: ReadonlySet<RequestBody["type"]> = new Set([
  ...(["mute", "unmute", "unpublish"] as const),
  ...(["subscribe", "unsubscribe", "subscribe_answer", "pause_subscription", "resume_subscription"] as const),
  ...(["set_layer", "set_tiles", "set_view"] as const),
]);

/** Whether it comes to the same when it is said twice. Where its answer was lost with the socket it can be said again. */
export function isRepeatable({ type }: RequestBody): boolean {
  return REPEATABLE.has(type);
}

interface Pending {
  resolve(result: unknown): void;
  reject(error: Error): void;
  timer: TimerId;
}

export class PendingRequests {
  private readonly pending = new Map<number, Pending>();
  private nextId = 1;

  constructor(private readonly clock: Clock) {}

  /** Sends `body` under a new id by way of `send`, and waits for its response. */
  start(body: RequestBody, send: (text: string) => void): Promise<unknown> {
    const id = this.nextId++;
    return new Promise((resolve, reject) => {
      const timer = this.clock.setTimeout(() => this.timeOut(id, body.type), REQUEST_TIMEOUT_MS);
      this.pending.set(id, { resolve, reject, timer });
      send(JSON.stringify({ id, ...body }));
    });
  }

  handleResponse(response: Success | Failure): void {
    if (response.id === null) {
      if (!response.ok) console.warn("The server could not read a message:", response.error.message);
      return;
    }
    const pending = this.take(response.id);
    if (pending === undefined) return;
    if (response.ok) pending.resolve(response.result);
    else pending.reject(errorFromServer(response.error));
  }

  failAll(error: Error = new ConnectionLostError()): void {
    for (const id of [...this.pending.keys()]) this.take(id)?.reject(error);
  }

  private timeOut(id: number, type: string): void {
    this.take(id)?.reject(new RostrumError("RequestTimeout", `The server did not answer "${type}" in time.`));
  }

  private take(id: number): Pending | undefined {
    const pending = this.pending.get(id);
    if (pending !== undefined) this.clock.clearTimeout(pending.timer);
    this.pending.delete(id);
    return pending;
  }
}
