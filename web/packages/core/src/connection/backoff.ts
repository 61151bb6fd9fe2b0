/** Exponential backoff with full jitter: many clients that lost the same server must not return as one. */

export const BACKOFF_BASE_MS = 1_000;
export const BACKOFF_LIMIT_MS = 10_000;
/** Before the first attempt after a line that went dead alone. */
export const LINE_DEAD_BACKOFF_MS = 200;
export const MAX_RECONNECT_ATTEMPTS = 10;

/** Milliseconds before attempt `attempt` (0 = the first after the loss); `random` is in [0, 1). */
export function backoffDelay(attempt: number, random: number): number {
  return random * Math.min(BACKOFF_LIMIT_MS, BACKOFF_BASE_MS * 2 ** attempt);
}
