/** `meeting.self`: who one is, what one may do, and one's own camera, microphone and screen. */

import type { Joined, PeerInfo, StageStatusName, Waiting } from "@rostrum/protocol";
import type { Capture } from "./capture";
import { Emitter } from "./emitter";
import { type MediaPermissionState, RostrumError } from "./errors";
import type { LocalMedia } from "./localMedia";
import { detectDevice } from "./options";
import { BEST_SCORE, type ScreenShareTracks } from "./participant";
import { DEFAULT_CONFIG, parseConfig, parsePermissions, type Permissions, type PresetConfig } from "./preset";
import type { RoomState } from "./roomState";
import type { Stage } from "./stage";

/** Of the waiting room: not met, in it, let in, or turned away. */
export type WaitlistStatus = "none" | "waiting" | "accepted" | "rejected";

/** `reason`: what is too much; null where all encodings are forwarded again. */
export interface LimitUpdate {
  source: string;
  forwarded: number;
  encodings: number;
  reason: "bitrate" | "frame_rate" | "frame_size" | null;
}

export interface SelfEvents {
  roomJoined: [update: { reconnected: boolean }];
  roomLeft: [update: { state: RoomState }];
  /** One is not in, but waits until a moderator lets one in: `roomJoined` follows, or `roomLeft` with `rejected`. */
  waitlisted: [];
  roomStateUpdate: [state: RoomState];
  audioUpdate: [update: { audioEnabled: boolean; audioTrack: MediaStreamTrack | null }];
  videoUpdate: [update: { videoEnabled: boolean; videoTrack: MediaStreamTrack | null }];
  screenShareUpdate: [update: { screenShareEnabled: boolean; screenShareTracks: ScreenShareTracks }];
  /** How well the server receives one of the own sources changed; `quality` is the worst of all. */
  qualityUpdate: [update: { source: string; score: number; quality: number }];
  deviceUpdate: [update: { device: MediaDeviceInfo }];
  deviceListUpdate: [update: { devices: MediaDeviceInfo[] }];
  mediaPermissionError: [update: { kind: "audio" | "video" | "screenshare"; message: string }];
  permissionsUpdate: [permissions: Permissions];
  /** Muted, or unpublished, by a moderator or the server; what this client meant to do is undone. */
  moderated: [update: { source: string; action: "muted" | "revoked" | "blocked" | "allowed" }];
  /** A source sends more than the preset allows: only `forwarded` of its `encodings`, the lowest, reach the others. */
  publicationLimited: [update: LimitUpdate];
  /**
   * Something that is turned on is not sent. `MediaUnavailable`: for now; it stays on, and is sent once the server can
   * take it. Anything else, after a join or a reconnect: it is off.
   */
  publishError: [error: Error];
}

const SOURCE_NOUNS: Record<string, string> = { microphone: "microphone", camera: "camera", screen: "screen" };

export interface SelfOptions {
  name: string;
  picture: string | null;
  media: LocalMedia;
  capture: Capture;
  stage: Stage;
}

export class Self extends Emitter<SelfEvents> {
  id = "";
  userId = "";
  customParticipantId: string | null = null;
  name: string;
  picture: string | null;
  presetName = "";
  permissions: Permissions = parsePermissions({});
  config: PresetConfig = DEFAULT_CONFIG;
  roomState: RoomState = "init";
  waitlistStatus: WaitlistStatus = "none";
  /** Sources that a moderator has blocked: turning one on is refused until they allow it again. */
  censored: ReadonlySet<string> = new Set();
  /** The audio output chosen with `setDevice`; players pass it to `setSinkId`. */
  speakerDeviceId: string | null = null;
  /** The name to join with, where it was set. */
  chosenName: string | null = null;

  /** How many videos (cameras, not screens) the server sends this device at once. */
  get maxVideoStreams(): number {
    return this.config.maxVideoStreams[detectDevice()];
  }

  private readonly scores = new Map<string, number>();
  private readonly media: LocalMedia;
  private readonly capture: Capture;
  private readonly stage: Stage;

  constructor(options: SelfOptions) {
    super();
    this.name = options.name;
    this.picture = options.picture;
    this.media = options.media;
    this.capture = options.capture;
    this.stage = options.stage;
    this.repeatMediaEvents();
    this.capture.onDeviceChange(() => void this.announceDevices());
  }

  get roomJoined(): boolean {
    return this.roomState === "joined";
  }

  get stageStatus(): StageStatusName {
    return this.stage.status;
  }

  /** How well the server receives what one sends, from 0 (of no use) to 10: the worst of what is on. */
  get quality(): number {
    const off = (source: string) =>
      (source === "microphone" && !this.audioEnabled) || (source === "camera" && !this.videoEnabled);
    return Math.min(BEST_SCORE, ...[...this.scores].map(([source, score]) => (off(source) ? BEST_SCORE : score)));
  }

  get audioEnabled(): boolean {
    return this.media.microphone.enabled;
  }

  get videoEnabled(): boolean {
    return this.media.camera.enabled;
  }

  get screenShareEnabled(): boolean {
    return this.media.screen !== null;
  }

  get audioTrack(): MediaStreamTrack | null {
    return this.media.microphone.track;
  }

  get videoTrack(): MediaStreamTrack | null {
    return this.media.camera.track;
  }

  get screenShareTracks(): ScreenShareTracks {
    return { video: this.media.screen?.video ?? null, audio: this.media.screen?.audio ?? null };
  }

  get mediaPermissions(): { audio: MediaPermissionState; video: MediaPermissionState } {
    return { audio: this.media.microphone.permission, video: this.media.camera.permission };
  }

  /** Before the join only; the server ignores it without `canEditDisplayName`. */
  setName(name: string): void {
    if (this.roomJoined) throw new RostrumError("AlreadyJoined", "The name can be set before joining only.", 1101);
    const trimmed = name.trim();
    if (trimmed === "") throw new RostrumError("EmptyName", "The name must not be empty.", 1103);
    this.name = trimmed;
    this.chosenName = trimmed;
  }

  /**
   * Captures the microphone (or takes `track`) and publishes it once joined. Rejects if that is refused; where the server
   * cannot take it just then, it stays on and is sent later (`publishError`).
   */
  async enableAudio(track?: MediaStreamTrack): Promise<void> {
    this.checkCensored("microphone");
    return this.reporting("audio", this.media.enableAudio(track));
  }

  disableAudio(): Promise<void> {
    return this.media.disableAudio();
  }

  async enableVideo(track?: MediaStreamTrack): Promise<void> {
    this.checkCensored("camera");
    return this.reporting("video", this.media.enableVideo(track));
  }

  disableVideo(): Promise<void> {
    return this.media.disableVideo();
  }

  async enableScreenShare(tracks?: { video: MediaStreamTrack; audio?: MediaStreamTrack | null }): Promise<void> {
    this.checkCensored("screen");
    const screen = tracks && { video: tracks.video, audio: tracks.audio ?? null };
    return this.reporting("screenshare", this.media.enableScreen(screen));
  }

  disableScreenShare(): Promise<void> {
    return this.media.disableScreen();
  }

  getAllDevices(): Promise<MediaDeviceInfo[]> {
    return this.capture.list();
  }

  getAudioDevices(): Promise<MediaDeviceInfo[]> {
    return this.capture.list("audioinput");
  }

  getVideoDevices(): Promise<MediaDeviceInfo[]> {
    return this.capture.list("videoinput");
  }

  getSpeakerDevices(): Promise<MediaDeviceInfo[]> {
    return this.capture.list("audiooutput");
  }

  /** Ids of the devices in use, null for the browser's choice. */
  getCurrentDevices(): { audio: string | null; video: string | null; speaker: string | null } {
    const { microphone, camera } = this.media;
    return {
      audio: microphone.track?.getSettings().deviceId ?? microphone.deviceId,
      video: camera.track?.getSettings().deviceId ?? camera.deviceId,
      speaker: this.speakerDeviceId,
    };
  }

  async setDevice(device: MediaDeviceInfo): Promise<void> {
    if (device.kind === "audiooutput") this.speakerDeviceId = device.deviceId;
    else await this.media.setDevice(device.kind === "audioinput" ? "microphone" : "camera", device.deviceId);
    this.emit("deviceUpdate", { device });
  }

  private checkCensored(source: string): void {
    if (!this.censored.has(source)) return;
    const noun = SOURCE_NOUNS[source] ?? source;
    throw new RostrumError("Censored", `A moderator has blocked your ${noun}. Ask them to allow it again.`, 9456);
  }

  // --- what the meeting feeds in ---------------------------------------------------------------------

  handleWaiting({ me }: Waiting): void {
    this.handleIdentity(me);
    this.waitlistStatus = "waiting";
    this.handleRoomState("waitlisted");
    this.emit("waitlisted");
  }

  handleJoined(joined: Joined): void {
    const { me } = joined;
    if (this.waitlistStatus === "waiting") this.waitlistStatus = "accepted";
    this.scores.clear();
    this.handleIdentity(me);
    this.censored = new Set(me.censored);
    this.handlePermissions(me.preset_name, joined.permissions, joined.config);
  }

  handlePermissions(
    presetName: string,
    permissions: Record<string, unknown>,
    config: Record<string, unknown>,
  ): void {
    this.presetName = presetName;
    this.permissions = parsePermissions(permissions);
    this.config = parseConfig(config);
    this.emit("permissionsUpdate", this.permissions);
  }

  handleRoomState(state: RoomState): void {
    if (state === this.roomState) return;
    if (state === "rejected") this.waitlistStatus = "rejected";
    else if (state !== "joined" && state !== "waitlisted" && this.waitlistStatus === "waiting") this.waitlistStatus = "none";
    this.roomState = state;
    this.emit("roomStateUpdate", state);
  }

  announceJoined(reconnected: boolean): void {
    this.emit("roomJoined", { reconnected });
  }

  announceLeft(): void {
    this.emit("roomLeft", { state: this.roomState });
  }

  /** What the server says of oneself: the name, and what a moderator blocks. */
  handleInfo(me: PeerInfo): void {
    this.name = me.name;
    const before = this.censored;
    this.censored = new Set(me.censored);
    for (const source of this.censored) if (!before.has(source)) this.announceModerated(source, "blocked");
    for (const source of before) if (!this.censored.has(source)) this.announceModerated(source, "allowed");
  }

  announceLimited({ source, forwarded, encodings, reason }: LimitUpdate): void {
    this.emit("publicationLimited", { source, forwarded, encodings, reason });
  }

  handleScore(source: string, score: number): void {
    const before = this.scores.get(source) ?? BEST_SCORE;
    this.scores.set(source, score);
    if (before !== score) this.emit("qualityUpdate", { source, score, quality: this.quality });
  }

  announceModerated(source: string, action: SelfEvents["moderated"][0]["action"]): void {
    this.emit("moderated", { source, action });
  }

  /** Of what fails as the connection or the meeting went nobody is told. */
  announcePublishError(error: unknown): void {
    if (this.roomJoined) this.emit("publishError", error instanceof Error ? error : new Error(String(error)));
  }

  private handleIdentity(me: PeerInfo | Waiting["me"]): void {
    this.id = me.peer_id;
    this.userId = me.participant_id;
    this.customParticipantId = me.custom_participant_id;
    this.name = me.name;
    this.picture = me.picture;
  }

  private repeatMediaEvents(): void {
    this.media.on("audio", () => {
      this.emit("audioUpdate", { audioEnabled: this.audioEnabled, audioTrack: this.audioTrack });
    });
    this.media.on("video", () => {
      this.emit("videoUpdate", { videoEnabled: this.videoEnabled, videoTrack: this.videoTrack });
    });
    this.media.on("screen", () => {
      const { screenShareEnabled, screenShareTracks } = this;
      this.emit("screenShareUpdate", { screenShareEnabled, screenShareTracks });
    });
  }

  private async reporting(kind: "audio" | "video" | "screenshare", work: Promise<void>): Promise<void> {
    try {
      await work;
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      this.emit("mediaPermissionError", { kind, message });
      throw error;
    }
  }

  private async announceDevices(): Promise<void> {
    this.emit("deviceListUpdate", { devices: await this.getAllDevices() });
  }
}
