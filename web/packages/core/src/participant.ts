/** Another peer in the session: who it is, and the tracks it sends. */

import type { PeerInfo, PublicationInfo, StageStatusName } from "@rostrum/protocol";
import type { EncryptionProblem } from "./e2ee/encryption";
import { Emitter } from "./emitter";

export interface ScreenShareTracks {
  video: MediaStreamTrack | null;
  audio: MediaStreamTrack | null;
}

export interface ParticipantEvents {
  audioUpdate: [update: { audioEnabled: boolean; audioTrack: MediaStreamTrack | null }];
  videoUpdate: [update: { videoEnabled: boolean; videoTrack: MediaStreamTrack | null }];
  screenShareUpdate: [update: { screenShareEnabled: boolean; screenShareTracks: ScreenShareTracks }];
  stageStatusUpdate: [status: StageStatusName];
  connectionUpdate: [connection: "connected" | "detached"];
  layerUpdate: [update: { publicationId: string; spatial: number; temporal: number }];
  /** How good what one receives of a publication is changed; `quality` is the worst of all. */
  qualityUpdate: [update: { publicationId: string; score: number; quality: number }];
  /** A video is paused by the server, for lack of bandwidth or of room on the server, or goes on again (null). */
  pausedUpdate: [update: { publicationId: string; reason: PauseReason | null }];
  /** A publication cannot be opened here, for want of the passphrase for example, or can again (null). */
  encryptionUpdate: [update: { publicationId: string; problem: EncryptionProblem | null }];
  /** Name, picture, preset or what a moderator blocks changed. */
  profileUpdate: [];
}

/** What moderating and tuning a participant needs; the meeting gives it. */
export interface ParticipantActions {
  kick(peerId: string): Promise<void>;
  mute(peerId: string, sources: string[]): Promise<void>;
  censor(peerId: string, sources: string[]): Promise<void>;
  uncensor(peerId: string, sources: string[]): Promise<void>;
  setLayer(publicationId: string, spatial: number | null): Promise<void>;
  /** What keeps a publication from being opened, as far as its announcement tells. */
  problemOf(publication: PublicationInfo): EncryptionProblem | null;
}

/** Why the server sends nothing of a video that is wanted. */
export type PauseReason = "bandwidth" | "overload";

/** A publication as far as this client knows it. */
export interface RemotePublication extends PublicationInfo {
  track: MediaStreamTrack | null;
  /** Null while it is sent. It has nothing to do with `muted`, which is its owner's. */
  pausedFor: PauseReason | null;
  /** How good what one receives of it is: 0 (of no use) to 10. */
  score: number;
  /** Why it can be neither seen nor heard here: what is encrypted end to end takes the right passphrase. */
  encryptionProblem: EncryptionProblem | null;
}

export const BEST_SCORE = 10;

export class Participant extends Emitter<ParticipantEvents> {
  /** By publication id; sources beyond camera, microphone and screen are found here. */
  readonly publications = new Map<string, RemotePublication>();
  private info: PeerInfo;

  constructor(
    info: PeerInfo,
    private readonly actions: ParticipantActions,
  ) {
    super();
    this.info = info;
  }

  /** The peer id: one per connection. */
  get id(): string {
    return this.info.peer_id;
  }

  /** The participant id: the same for every connection of this person. */
  get userId(): string {
    return this.info.participant_id;
  }

  get customParticipantId(): string | null {
    return this.info.custom_participant_id;
  }

  get name(): string {
    return this.info.name;
  }

  get picture(): string | null {
    return this.info.picture;
  }

  get presetName(): string {
    return this.info.preset_name;
  }

  get device(): string {
    return this.info.device;
  }

  get stageStatus(): StageStatusName {
    return this.info.stage_status;
  }

  /** `detached` while its socket is lost and may still come back. */
  get connection(): "connected" | "detached" {
    return this.info.connection ?? "connected";
  }

  get joinedAt(): string {
    return this.info.joined_at;
  }

  /** Whether a moderator has blocked a source of this participant. */
  isCensored(source: string): boolean {
    return this.info.censored?.includes(source) === true;
  }

  get audioEnabled(): boolean {
    return this.isOn("microphone");
  }

  get videoEnabled(): boolean {
    return this.isOn("camera");
  }

  get screenShareEnabled(): boolean {
    return this.isOn("screen");
  }

  get audioTrack(): MediaStreamTrack | null {
    return this.publicationOf("microphone")?.track ?? null;
  }

  get videoTrack(): MediaStreamTrack | null {
    return this.publicationOf("camera")?.track ?? null;
  }

  get screenShareTracks(): ScreenShareTracks {
    return {
      video: this.publicationOf("screen")?.track ?? null,
      audio: this.publicationOf("screen_audio")?.track ?? null,
    };
  }

  /** How well one receives this participant, from 0 to 10: the worst of what is not muted. */
  get quality(): number {
    const scores = [...this.publications.values()].filter((one) => !one.muted).map((one) => one.score);
    return Math.min(BEST_SCORE, ...scores);
  }

  publicationOf(source: string): RemotePublication | null {
    for (const publication of this.publications.values()) {
      if (publication.source === source) return publication;
    }
    return null;
  }

  /** Removes this peer from the meeting; needs `kickParticipant`. */
  kick(): Promise<void> {
    return this.actions.kick(this.id);
  }

  /** Mutes its microphone; needs `disableParticipantAudio`. */
  disableAudio(): Promise<void> {
    return this.actions.mute(this.id, ["microphone"]);
  }

  disableVideo(): Promise<void> {
    return this.actions.mute(this.id, ["camera"]);
  }

  disableScreenShare(): Promise<void> {
    return this.actions.mute(this.id, ["screen", "screen_audio"]);
  }

  /** Blocks sources until `uncensor`: the server forwards nothing of them, and the participant cannot lift it. */
  censor(sources: string[]): Promise<void> {
    return this.actions.censor(this.id, sources);
  }

  /** Lets the participant turn the sources on again; it does not turn them on. */
  uncensor(sources: string[]): Promise<void> {
    return this.actions.uncensor(this.id, sources);
  }

  /** The best layer wanted of its camera: 0 is the smallest, null the best there is. */
  async setPreferredLayer(spatial: number | null): Promise<void> {
    const camera = this.publicationOf("camera");
    if (camera !== null) await this.actions.setLayer(camera.publication_id, spatial);
  }

  // --- what the meeting feeds in ---------------------------------------------------------------------

  handleInfo(info: PeerInfo): void {
    const before = this.info;
    this.info = info;
    if (before.stage_status !== info.stage_status) this.emit("stageStatusUpdate", info.stage_status);
    if (before.connection !== info.connection) this.emit("connectionUpdate", this.connection);
    const sameProfile =
      before.name === info.name &&
      before.picture === info.picture &&
      before.preset_name === info.preset_name &&
      String(before.censored) === String(info.censored);
    if (!sameProfile) this.emit("profileUpdate");
  }

  handleStageStatus(status: StageStatusName): void {
    this.handleInfo({ ...this.info, stage_status: status });
  }

  handlePublication(info: PublicationInfo): void {
    const known = this.publications.get(info.publication_id);
    const { track, pausedFor, score, encryptionProblem } = known ?? {
      track: null,
      pausedFor: null,
      score: BEST_SCORE,
      encryptionProblem: this.actions.problemOf(info),
    };
    this.publications.set(info.publication_id, { ...info, track, pausedFor, score, encryptionProblem });
    this.announce(info.source);
  }

  handlePublicationRemoved(publicationId: string): void {
    const publication = this.publications.get(publicationId);
    if (publication === undefined) return;
    this.publications.delete(publicationId);
    this.announce(publication.source);
  }

  handleTrack(publicationId: string, track: MediaStreamTrack | null): void {
    const publication = this.publications.get(publicationId);
    if (publication === undefined || publication.track === track) return;
    publication.track = track;
    if (track === null) {
      this.handlePaused(publicationId, null);
      this.handleScore(publicationId, BEST_SCORE);
    }
    this.announce(publication.source);
  }

  handlePaused(publicationId: string, reason: PauseReason | null): void {
    const publication = this.publications.get(publicationId);
    if (publication === undefined || publication.pausedFor === reason) return;
    publication.pausedFor = reason;
    this.emit("pausedUpdate", { publicationId, reason });
  }

  handleScore(publicationId: string, score: number): void {
    const publication = this.publications.get(publicationId);
    if (publication === undefined || publication.score === score) return;
    publication.score = score;
    this.emit("qualityUpdate", { publicationId, score, quality: this.quality });
  }

  handleEncryption(publicationId: string, problem: EncryptionProblem | null): void {
    const publication = this.publications.get(publicationId);
    if (publication === undefined || publication.encryptionProblem === problem) return;
    publication.encryptionProblem = problem;
    this.emit("encryptionUpdate", { publicationId, problem });
  }

  handleLayer(publicationId: string, spatial: number, temporal: number): void {
    this.emit("layerUpdate", { publicationId, spatial, temporal });
  }

  private isOn(source: string): boolean {
    const publication = this.publicationOf(source);
    return publication !== null && !publication.muted;
  }

  private announce(source: string): void {
    if (source === "microphone") {
      this.emit("audioUpdate", { audioEnabled: this.audioEnabled, audioTrack: this.audioTrack });
    } else if (source === "camera") {
      this.emit("videoUpdate", { videoEnabled: this.videoEnabled, videoTrack: this.videoTrack });
    } else if (source === "screen" || source === "screen_audio") {
      const { screenShareEnabled, screenShareTracks } = this;
      this.emit("screenShareUpdate", { screenShareEnabled, screenShareTracks });
    }
  }
}
