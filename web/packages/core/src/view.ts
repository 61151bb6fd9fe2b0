/**
 * What is watched without naming each publication. The server keeps to it by itself while people come, go and
 * speak; it is told again where it begins anew with this client.
 */

import type { Signal } from "./connection/results";

export type View =
  /** Every publication as it appears, or those subscribed to by id with `autoSubscribe: false`. */
  | { mode: "manual" }
  /** Every audio and screen, and the videos of these peers. */
  | { mode: "page"; peerIds: string[] }
  /** Every audio and screen, and the videos of the `count` who spoke last. */
  | { mode: "speakers"; count: number };

export const MANUAL: View = { mode: "manual" };

export class ViewMode {
  private view: View = MANUAL;

  constructor(
    private readonly signal: Signal,
    /** The server leaves subscribing to the client again. */
    private readonly onManual: () => void,
  ) {}

  get current(): View {
    return this.view;
  }

  /** Whether the client subscribes by itself. */
  get isManual(): boolean {
    return this.view.mode === "manual";
  }

  async choose(view: View): Promise<void> {
    if (JSON.stringify(view) === JSON.stringify(this.view)) return;
    this.view = view;
    await this.tell();
    if (view === this.view && this.isManual) this.onManual();
  }

  /** The server knows nothing of it: this is another peer, or the media began anew. */
  async repeat(): Promise<void> {
    if (!this.isManual) await this.tell();
  }

  private async tell(): Promise<void> {
    const { view } = this;
    await this.signal.request({
      type: "set_view",
      mode: view.mode,
      ...(view.mode === "page" ? { peer_ids: view.peerIds } : {}),
      ...(view.mode === "speakers" ? { count: view.count } : {}),
    });
  }
}
