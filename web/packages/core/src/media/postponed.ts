/**
 * Publishing that failed for a reason that passes: no media node could take it just then, or the connection went before
 * the answer. It is tried again after a while, less often each time, until it is done or refused for another reason.
 */

import type { Clock, TimerId } from "../clock";
import { ConnectionLostError, isNamed, RostrumError } from "../errors";

const FIRST_AFTER_MS = 2_000;
export const AGAIN_AT_MOST_MS = 16_000;

export interface PostponedOptions {
  clock: Clock;
  again: () => void;
  /** Nothing can be sent for now: told once, however often it is tried. */
  told: (error: Error) => void;
}

export class Postponed {
  private timer: TimerId | null = null;
  private attempts = 0;
  private wasTold = false;

  constructor(private readonly options: PostponedOptions) {}

  /** False where the reason does not pass by itself. */
  take(error: unknown): boolean {
    const unavailable = isNamed(error, "MediaUnavailable");
    if (!unavailable && !(error instanceof ConnectionLostError)) return false;
    if (unavailable && !this.wasTold) {
      this.wasTold = true;
      this.options.told(noMediaNow(error));
    }
    this.schedule();
    return true;
  }

  /** It is done, or there is nothing to do any more. */
  settle(): void {
    this.cancel();
    this.attempts = 0;
    this.wasTold = false;
  }

  private schedule(): void {
    if (this.timer !== null) return;
    const { clock, again } = this.options;
    const delay = Math.min(FIRST_AFTER_MS * 2 ** this.attempts++, AGAIN_AT_MOST_MS);
    // Not everybody at the same moment: half of it at least.
    this.timer = clock.setTimeout(
      () => {
        this.timer = null;
        again();
      },
      (delay * (1 + clock.random())) / 2,
    );
  }

  private cancel(): void {
    if (this.timer !== null) this.options.clock.clearTimeout(this.timer);
    this.timer = null;
  }
}

function noMediaNow(error: unknown): Error {
  const message = "The server cannot take video or sound at the moment. What is turned on is sent as soon as it can.";
  return new RostrumError("MediaUnavailable", message, error instanceof RostrumError ? error.code : 0, { cause: error });
}
