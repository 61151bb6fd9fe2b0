/**
 * The frames of one receiver, opened one after the other, and what there is to tell of how that goes.
 *
 * A frame that came before is dropped, and is no failure: servers probe the path with packets sent again, and
 * browsers make frames of them again. It opened, so it rather shows that the key is right.
 */

import { openFrame, Replays } from "./frames";
import type { Keys } from "./sframe";

/** Frames in a row that fail before it is told, each time: one may be of before the key was changed. */
export const FAILURES_TO_TELL = 5;

export interface Opened {
  /** Null for what is not to be shown. */
  data: ArrayBuffer | null;
  /** What the page is to be told now. */
  news: "failed" | "recovered" | null;
}

export class Opening {
  private readonly seen = new Replays();
  private failures = 0;

  /** `clear`: how many bytes of it are clear; null for a codec that cannot be sealed. */
  async open(keys: Keys, frame: ArrayBuffer, clear: number | null): Promise<Opened> {
    if (clear === null) return this.fail();
    let data: ArrayBuffer | null;
    try {
      data = await openFrame(keys, this.seen, frame, clear);
    } catch {
      return this.fail();
    }
    const news = this.failures >= FAILURES_TO_TELL ? "recovered" : null;
    this.failures = 0;
    return { data, news };
  }

  private fail(): Opened {
    return { data: null, news: ++this.failures % FAILURES_TO_TELL === 0 ? "failed" : null };
  }
}
