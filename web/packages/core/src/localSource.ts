/** One thing to send, microphone or camera: captured or handed in, on or off. */

import type { MediaPermissionState } from "./errors";
import { MediaDeviceError } from "./errors";

export class LocalSource {
  enabled = false;
  track: MediaStreamTrack | null = null;
  permission: MediaPermissionState = "NOT_REQUESTED";
  deviceId: string | null = null;
  /** A track that was handed in belongs to the caller: it is never stopped here. */
  private borrowed = false;

  constructor(
    private readonly capture: (deviceId: string | null) => Promise<MediaStreamTrack>,
    /** The track ended by itself: the device was unplugged, or the browser took it away. */
    private readonly onEnded: () => void,
  ) {}

  /** Captures, or takes `track`. Rejects with MediaDeviceError, and is off then. */
  async start(track?: MediaStreamTrack): Promise<MediaStreamTrack> {
    if (track === undefined && this.enabled && this.track?.readyState === "live") return this.track;
    const next = track ?? (await this.captured());
    this.release();
    this.track = next;
    this.borrowed = track !== undefined;
    this.enabled = true;
    next.addEventListener("ended", this.handleEnded);
    return next;
  }

  /** Turns the device off too: its light must not lie. */
  stop(): void {
    this.release();
    this.enabled = false;
  }

  private async captured(): Promise<MediaStreamTrack> {
    try {
      const track = await this.capture(this.deviceId);
      this.permission = "ACCEPTED";
      return track;
    } catch (error) {
      if (error instanceof MediaDeviceError) this.permission = error.state;
      throw error;
    }
  }

  private readonly handleEnded = () => this.onEnded();

  private release(): void {
    this.track?.removeEventListener("ended", this.handleEnded);
    if (!this.borrowed) this.track?.stop();
    this.track = null;
    this.borrowed = false;
  }
}
