/**
 * Subscribes to what others publish, where the client does that by itself: to everything, with as many videos as
 * the server has room for (`maxVideoStreams`), and to those that were refused once one of the others has ended.
 */

import type { Subscriber } from "./media/subscriber";

export interface AutoSubscribeOptions {
  subscriber: Pick<Subscriber, "subscribe">;
  /** Whether it is the client who subscribes. */
  isOn: () => boolean;
  /** Whether anything could be made of a publication. */
  canOpen: (publicationId: string) => boolean;
  failed: (error: unknown) => void;
}

const NO_ROOM = "LimitExceeded";

export class AutoSubscribe {
  private readonly refused = new Set<string>();

  constructor(private readonly options: AutoSubscribeOptions) {}

  subscribe(publicationIds: string[]): void {
    if (!this.options.isOn()) return;
    const open = publicationIds.filter((each) => this.options.canOpen(each));
    if (open.length > 0) this.ask(open).catch((error: unknown) => this.options.failed(error));
  }

  /** A publication, or the subscription to it, is over: there may be room for another. */
  handleEnded(publicationId: string): void {
    this.refused.delete(publicationId);
    if (this.refused.size > 0) this.subscribe([...this.refused]);
  }

  /** Everything is asked for afresh. */
  reset(): void {
    this.refused.clear();
  }

  private async ask(publicationIds: string[]): Promise<void> {
    const wanted = publicationIds.map((publication_id) => ({ publication_id }));
    for (const { publication_id, ok, error } of await this.options.subscriber.subscribe(wanted)) {
      if (!ok && error?.["name"] === NO_ROOM) this.refused.add(publication_id);
      else this.refused.delete(publication_id);
    }
  }
}
