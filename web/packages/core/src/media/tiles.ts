/**
 * Tells the server where videos are shown, so that it sends no more of them than can be seen.
 *
 * Each publication may be shown in several elements; the largest one counts. A publication whose last element
 * went is shown nowhere; one that never had any is not spoken of, and sent as large as can be. What changed is
 * told a moment later, all at once: sizes come in bursts while a window is dragged.
 */

import type { TileSpec } from "@rostrum/protocol";
import type { Clock, TimerId } from "../clock";
import type { ElementWatch, ShownSize } from "./elementWatch";

export const TELL_AFTER_MS = 150;
/** Sizes are told in steps of so many pixels. */
const STEP = 8;
const MOST_AT_ONCE = 256;

export interface TilesOptions {
  clock: Clock;
  watchElement: ElementWatch;
  /** Sends `set_tiles`. */
  send: (tiles: TileSpec[]) => Promise<unknown>;
}

interface Place extends ShownSize {
  priority: number;
}

export class Tiles {
  private readonly places = new Map<string, Map<HTMLElement, Place>>();
  private readonly told = new Map<string, string>();
  private readonly subscribed = new Set<string>();
  private timer: TimerId | null = null;

  constructor(private readonly options: TilesOptions) {}

  /** `element` shows the publication until the returned function is called. Higher `priority` goes first. */
  show(publicationId: string, element: HTMLElement, priority = 0): () => void {
    const places = this.places.get(publicationId) ?? new Map<HTMLElement, Place>();
    this.places.set(publicationId, places);
    const stop = this.options.watchElement(element, (size) => {
      places.set(element, { ...size, priority });
      this.tellSoon();
    });
    return () => {
      stop();
      places.delete(element);
      this.forgetIfOver(publicationId);
      this.tellSoon();
    };
  }

  /** The server begins anew with this publication: it knows nothing of its tile. */
  handleSubscribed(publicationId: string): void {
    this.told.delete(publicationId);
    this.subscribed.add(publicationId);
    if (this.places.has(publicationId)) this.tellSoon();
  }

  handleEnded(publicationId: string): void {
    this.told.delete(publicationId);
    this.subscribed.delete(publicationId);
    this.forgetIfOver(publicationId);
  }

  private forgetIfOver(publicationId: string): void {
    const nowhere = this.places.get(publicationId)?.size === 0;
    if (nowhere && !this.subscribed.has(publicationId)) this.places.delete(publicationId);
  }

  private tellSoon(): void {
    this.timer ??= this.options.clock.setTimeout(() => this.tell(), TELL_AFTER_MS);
  }

  private tell(): void {
    this.timer = null;
    const changed: TileSpec[] = [];
    for (const [publication_id, places] of this.places) {
      if (!this.subscribed.has(publication_id)) continue;
      const tile = { publication_id, ...largest([...places.values()]) };
      const text = JSON.stringify(tile);
      if (this.told.get(publication_id) === text) continue;
      this.told.set(publication_id, text);
      changed.push(tile);
    }
    for (let start = 0; start < changed.length; start += MOST_AT_ONCE) {
      this.send(changed.slice(start, start + MOST_AT_ONCE));
    }
  }

  private send(tiles: TileSpec[]): void {
    this.options.send(tiles).catch(() => {
      // Not connected: said again with the next change, at the latest after the next subscription.
      for (const { publication_id } of tiles) this.told.delete(publication_id);
    });
  }
}

function largest(places: Place[]): Place {
  const best = places.reduce((one, other) => (other.width * other.height > one.width * one.height ? other : one), {
    width: 0,
    height: 0,
    priority: 0,
  });
  return {
    width: Math.ceil(best.width / STEP) * STEP,
    height: Math.ceil(best.height / STEP) * STEP,
    priority: best.priority,
  };
}
