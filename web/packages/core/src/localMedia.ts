/**
 * What this client captures, and whether it goes out.
 *
 * Turning a source on captures it and, where `mayPublish` says so, publishes it; when the server refuses,
 * the source is off again before the caller hears of it. Where nothing can be sent just then it stays on, and is
 * published as soon as it can. While on the stage is only a prospect (before the
 * join, and as long as an invitation is open) sources are captured for the preview alone.
 */

import type { Capture, ScreenTracks } from "./capture";
import type { Clock } from "./clock";
import { Emitter } from "./emitter";
import { LocalSource } from "./localSource";
import { cameraEncodings, isScalable, scalableEncodings, screenEncodings, type VideoCodec } from "./media/encodings";
import { Postponed } from "./media/postponed";
import type { PublishItem, Publisher } from "./media/publisher";
import { SerialQueue } from "./media/queue";
import type { PresetConfig } from "./preset";

/** Of screens, and of cameras unless another one is asked for. */
export const VIDEO_CODEC = "video/VP8";
/** Opus, each packet with the one before it: put first, it is what the browser sends. */
export const VOICE_CODEC = "audio/red";

export interface LocalMediaOptions {
  capture: Capture;
  publisher: Publisher;
  config: () => PresetConfig;
  /** Whether to publish what is turned on; true also when the server will refuse it: it has the last word. */
  mayPublish: () => boolean;
  simulcast: boolean;
  /** Of cameras. */
  videoCodec: VideoCodec;
  /** Whether a voice is sent with redundancy. */
  redundantAudio: boolean;
  clock: Clock;
  /** What is turned on is not sent: for now, or it is off again. */
  failed: (error: unknown) => void;
}

export interface LocalMediaEvents {
  audio: [];
  video: [];
  screen: [];
}

export class LocalMedia extends Emitter<LocalMediaEvents> {
  readonly microphone: LocalSource;
  readonly camera: LocalSource;
  screen: ScreenTracks | null = null;

  private readonly queue = new SerialQueue();
  private readonly postponed: Postponed;

  constructor(private readonly options: LocalMediaOptions) {
    super();
    const { capture, clock, config, failed, mayPublish } = options;
    this.microphone = new LocalSource(
      (deviceId) => capture.microphone(config(), deviceId),
      () => this.runDetached(this.disableAudio()),
    );
    this.camera = new LocalSource(
      (deviceId) => capture.camera(config(), deviceId),
      () => this.runDetached(this.disableVideo()),
    );
    this.postponed = new Postponed({ clock, again: () => void (mayPublish() && this.publishAll()), told: failed });
  }

  enableAudio(track?: MediaStreamTrack): Promise<void> {
    return this.queue.run(() => this.enable("microphone", "audio", track));
  }

  disableAudio(): Promise<void> {
    return this.queue.run(() => this.disable("microphone", "audio"));
  }

  enableVideo(track?: MediaStreamTrack): Promise<void> {
    return this.queue.run(() => this.enable("camera", "video", track));
  }

  disableVideo(): Promise<void> {
    return this.queue.run(() => this.disable("camera", "video"));
  }

  enableScreen(tracks?: ScreenTracks): Promise<void> {
    return this.queue.run(async () => {
      if (this.screen !== null) return;
      const screen = tracks ?? (await this.options.capture.screen(this.options.config()));
      this.screen = screen;
      screen.video.addEventListener("ended", () => this.runDetached(this.disableScreen()), { once: true });
      try {
        if (this.options.mayPublish()) await this.send(this.screenItems(screen));
      } catch (error) {
        this.stopScreen();
        throw error;
      }
      this.emit("screen");
    });
  }

  disableScreen(): Promise<void> {
    return this.queue.run(async () => {
      if (this.screen === null) return;
      this.stopScreen();
      await this.options.publisher.unpublish(["screen", "screen_audio"]);
    });
  }

  /** Captures from another device; what is being sent changes over without a new publication. */
  setDevice(source: "microphone" | "camera", deviceId: string): Promise<void> {
    return this.queue.run(async () => {
      const local = this[source];
      local.deviceId = deviceId;
      if (!local.enabled) return;
      local.stop();
      await this.enable(source, source === "microphone" ? "audio" : "video");
    });
  }

  /** Publishes everything that is turned on, in one offer. Where that is refused `failed` is told, and what is not sent is off. */
  publishAll(): Promise<void> {
    return this.queue.run(async () => {
      const items = this.itemsOn();
      try {
        if (await this.send(items)) this.postponed.settle();
      } catch (error) {
        this.postponed.settle();
        for (const { source } of items) if (!this.options.publisher.sends(source)) this.handleEndedRemotely(source);
        this.options.failed(error);
      }
    });
  }

  /** Turns one source off without telling the server, who knows: it was muted or ended from there. */
  handleEndedRemotely(source: string): void {
    if (source === "microphone") this.switchOff("microphone", "audio");
    else if (source === "camera") this.switchOff("camera", "video");
    else if (source === "screen" && this.screen !== null) this.stopScreen();
  }

  /** Turns everything off and lets the devices go. */
  stopAll(): void {
    this.switchOff("microphone", "audio");
    this.switchOff("camera", "video");
    if (this.screen !== null) this.stopScreen();
    this.postponed.settle();
  }

  /** False where it is only done later, of all that is turned on then. */
  private async send(items: PublishItem[]): Promise<boolean> {
    if (items.length === 0) return true;
    try {
      await this.options.publisher.publish(items);
      return true;
    } catch (error) {
      if (!this.postponed.take(error)) throw error;
      return false;
    }
  }

  private async enable(source: "microphone" | "camera", event: "audio" | "video", track?: MediaStreamTrack) {
    const local = this[source];
    try {
      const started = await local.start(track);
      if (this.options.mayPublish()) await this.send([this.itemOf(source, started)]);
    } catch (error) {
      local.stop();
      throw error;
    } finally {
      this.emit(event);
    }
  }

  private async disable(source: "microphone" | "camera", event: "audio" | "video"): Promise<void> {
    if (!this[source].enabled) return;
    this.switchOff(source, event);
    await this.options.publisher.mute(source);
  }

  private switchOff(source: "microphone" | "camera", event: "audio" | "video"): void {
    if (!this[source].enabled) return;
    this[source].stop();
    this.emit(event);
  }

  private stopScreen(): void {
    this.screen?.video.stop();
    this.screen?.audio?.stop();
    this.screen = null;
    this.emit("screen");
  }

  private itemsOn(): PublishItem[] {
    const items: PublishItem[] = [];
    if (this.microphone.track !== null) items.push(this.itemOf("microphone", this.microphone.track));
    if (this.camera.track !== null) items.push(this.itemOf("camera", this.camera.track));
    if (this.screen !== null) items.push(...this.screenItems(this.screen));
    return items;
  }

  private itemOf(source: "microphone" | "camera", track: MediaStreamTrack): PublishItem {
    if (source === "microphone") return { source, kind: "audio", track, ...this.voiceCodec() };
    const { video } = this.options.config().media;
    const width = track.getSettings().width ?? 640;
    const simulcast = this.options.simulcast && video.simulcast !== false;
    const { videoCodec } = this.options;
    const layered = simulcast && isScalable(videoCodec);
    const encodings = layered ? scalableEncodings(width) : cameraEncodings(width, simulcast);
    return { source, kind: "video", track, encodings, codec: `video/${videoCodec}` };
  }

  /** Not of music: it is large, and heard with its in-band correction alone. */
  private voiceCodec(): { codec?: string } {
    const { enableStereo, enableHighBitrate } = this.options.config().media.audio ?? {};
    const redundant = this.options.redundantAudio && enableStereo !== true && enableHighBitrate !== true;
    return { codec: redundant ? VOICE_CODEC : "audio/opus" };
  }

  private screenItems(screen: ScreenTracks): PublishItem[] {
    const encodings = screenEncodings(this.options.config().media.screenshare.frameRate);
    const items: PublishItem[] = [
      { source: "screen", kind: "video", track: screen.video, encodings, codec: VIDEO_CODEC },
    ];
    if (screen.audio !== null) items.push({ source: "screen_audio", kind: "audio", track: screen.audio });
    return items;
  }

  /** For what nobody waits on: the source is off here already, telling the server is all that can fail. */
  private runDetached(work: Promise<void>): void {
    work.catch((error: unknown) => console.warn("Could not tell the server that a source ended:", error));
  }
}
