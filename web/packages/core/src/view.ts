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

export interface ViewOptions {
  /** Nothing is received before the first view. */
  awaited: boolean;
  /** Whether it is encrypted media that can be opened here, and no other. */
  encrypted: boolean;
  /** The server leaves subscribing to the client again. */
  onManual: () => void;
}

export class ViewMode {
  private view: View | null;

  constructor(
    private readonly signal: Signal,
    private readonly options: ViewOptions,
  ) {
    this.view = options.awaited ? null : MANUAL;
  }

  get current(): View {
    return this.view ?? MANUAL;
  }

  /** Whether the client subscribes by itself. */
  get isManual(): boolean {
    return this.view?.mode === "manual";
  }

  async choose(view: View): Promise<void> {
    if (JSON.stringify(view) === JSON.stringify(this.view)) return;
    this.view = view;
    await this.tell(view);
    if (view === this.view && this.isManual) this.options.onManual();
  }

  /** The server knows nothing of it: this is another peer, or the media began anew. */
  async repeat(): Promise<void> {
    if (this.view !== null && !this.isManual) await this.tell(this.view);
  }

  private async tell(view: View): Promise<void> {
    await this.signal.request({
      type: "set_view",
      mode: view.mode,
      encrypted: this.options.encrypted,
      ...(view.mode === "page" ? { peer_ids: view.peerIds } : {}),
      ...(view.mode === "speakers" ? { count: view.count } : {}),
    });
  }
}
