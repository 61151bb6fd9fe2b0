/** `meeting.participants`: everyone else, who is speaking, and what a moderator may do to all. */

import type { PeerInfo, PublicationInfo, SpeakerInfo, WaitingActionItem } from "@rostrum/protocol";
import { snakelize } from "./camel";
import type { Signal } from "./connection/results";
import type { EncryptionProblem } from "./e2ee/encryption";
import { Emitter } from "./emitter";
import { errorFromServer } from "./errors";
import type { Subscriber } from "./media/subscriber";
import type { Tiles } from "./media/tiles";
import { Participant, type ParticipantActions, type PauseReason } from "./participant";
import { type LeaveReason, ParticipantMap } from "./participantMap";
import type { View, ViewMode } from "./view";
import { Waitlist } from "./waitlist";

/** Someone who is speaking; `volume` is 0 (silence) to 1 (loudest). */
export interface Speaker {
  peerId: string;
  publicationId: string;
  volume: number;
}

export interface ParticipantsEvents {
  /** The active speaker changed (it may be oneself). */
  activeSpeaker: [speaker: { peerId: string; volume: number }];
  /** Everyone who is speaking now, loudest first. */
  speakersUpdate: [speakers: Speaker[]];
}

const QUIETEST_LEVEL = 127;

export class Participants extends Emitter<ParticipantsEvents> {
  readonly joined = new ParticipantMap();
  /** Who waits to be admitted; empty without `acceptWaitingRequests`. */
  readonly waitlisted = new Waitlist();
  /** Peer id of the latest active speaker, null before anyone spoke. */
  lastActiveSpeaker: string | null = null;
  speakers: Speaker[] = [];

  private readonly actions: ParticipantActions;

  constructor(
    private readonly signal: Signal,
    private readonly subscriber: Subscriber,
    private readonly tiles: Tiles,
    private readonly viewMode: ViewMode,
    problemOf: ParticipantActions["problemOf"],
  ) {
    super();
    this.actions = {
      kick: (peerId) => this.kick([peerId]),
      mute: (peerId, sources) => this.mute([peerId], sources),
      censor: (peerId, sources) => this.censor([peerId], sources),
      uncensor: (peerId, sources) => this.uncensor([peerId], sources),
      setLayer: (publicationId, spatial) => this.setLayer(publicationId, spatial),
      problemOf,
    };
  }

  /** How many are in the session, oneself included once joined is up to the caller: this counts the others. */
  get count(): number {
    return this.joined.size;
  }

  /** Removes peers from the meeting; needs `kickParticipant`. */
  async kick(peerIds: string[]): Promise<void> {
    await this.signal.request({ type: "kick", peer_ids: peerIds });
  }

  /**
   * Changes what others may while they are in, by a part of a preset's permissions in camelCase, as in
   * `{ chat: { public: { canSend: false } } }`; needs `canChangeParticipantPermissions`.
   */
  async updatePermissions(peerIds: string[], permissions: Record<string, unknown>): Promise<void> {
    const changes = snakelize(permissions) as Record<string, unknown>;
    await this.signal.request({ type: "update_permissions", peer_ids: peerIds, permissions: changes });
  }

  /** Ends the meeting for everyone else. */
  async kickAll(): Promise<void> {
    await this.signal.request({ type: "kick_all" });
  }

  /** Lets in one who waits, by the id of the peer or of the participant. Rejects where there is no room. */
  async acceptWaitingRoomRequest(id: string): Promise<void> {
    await this.decide("admit", { peer_ids: this.waitlisted.peersOf([id]) });
  }

  /** Lets in all who wait, or these. Rejects where none could be; who could not goes on waiting. */
  async acceptAllWaitingRoomRequest(ids?: string[]): Promise<void> {
    await this.decide("admit", ids === undefined ? { all: true } : { peer_ids: this.waitlisted.peersOf(ids) });
  }

  /** Turns one away who waits, by the id of the peer or of the participant. */
  async rejectWaitingRoomRequest(id: string): Promise<void> {
    await this.decide("deny", { peer_ids: this.waitlisted.peersOf([id]) });
  }

  private async decide(type: "admit" | "deny", whom: { peer_ids?: string[]; all?: boolean }): Promise<void> {
    const { peers }: { peers: WaitingActionItem[] } = await this.signal.request({ type, ...whom });
    const refused = peers.find((peer) => !peer.ok)?.error;
    if (refused && peers.every((peer) => !peer.ok)) throw errorFromServer(refused as never);
  }

  async mute(peerIds: string[], sources: string[]): Promise<void> {
    await this.signal.request({ type: "mute_peer", peer_ids: peerIds, sources });
  }

  async censor(peerIds: string[], sources: string[]): Promise<void> {
    await this.signal.request({ type: "censor", peer_ids: peerIds, sources });
  }

  async uncensor(peerIds: string[], sources: string[]): Promise<void> {
    await this.signal.request({ type: "uncensor", peer_ids: peerIds, sources });
  }

  /** Mutes what all others say. Without `allowUnmute` they stay so, newcomers too, until it is called with it. */
  async disableAllAudio(allowUnmute = true): Promise<void> {
    await this.signal.request({ type: "mute_all", allow_unmute: allowUnmute });
  }

  async disableAllVideo(): Promise<void> {
    const ids = this.joined.toArray().filter((each) => each.videoEnabled).map((each) => each.id);
    if (ids.length > 0) await this.mute(ids, ["camera"]);
  }

  /** The best spatial layer wanted of a publication, null for the best there is. */
  async setLayer(publicationId: string, spatial: number | null): Promise<void> {
    await this.subscriber.setLayer(publicationId, spatial === null ? null : { spatial });
  }

  /** Receives publications by id (needed with `autoSubscribe: false`). Throws if none was accepted. */
  async subscribe(publicationIds: string[]): Promise<void> {
    await this.subscriber.subscribe(publicationIds.map((publication_id) => ({ publication_id })));
  }

  async unsubscribe(publicationIds: string[]): Promise<void> {
    await this.subscriber.unsubscribe(publicationIds);
    for (const publicationId of publicationIds) this.subscriber.handleEnded(publicationId);
  }

  /** What is watched; see `setView`. */
  get view(): View {
    return this.viewMode.current;
  }

  /**
   * Leaves subscribing to the server: every audio and screen, with the videos of a page of peers or of those who
   * spoke last. `manual`, with which a meeting begins, gives it back to the client.
   */
  async setView(view: View): Promise<void> {
    await this.viewMode.choose(view);
  }

  /**
   * Tells the server that `element` shows a publication, until the returned function is called: a video is then
   * sent as large as the element is, and not at all while that cannot be seen. Where bandwidth is short, a higher
   * `priority` goes first.
   */
  showIn(publicationId: string, element: HTMLElement, priority = 0): () => void {
    return this.tiles.show(publicationId, element, priority);
  }

  /** Stops or resumes the packets of a subscription without giving it up, for tiles out of view. */
  async setPaused(publicationId: string, paused: boolean): Promise<void> {
    await this.subscriber.setPaused(publicationId, paused);
  }

  // --- what the meeting feeds in ---------------------------------------------------------------------

  handleRoster(peers: PeerInfo[], publications: PublicationInfo[]): void {
    const participants = peers.map((peer) => new Participant(peer, this.actions));
    for (const participant of participants) {
      for (const publication of publications) {
        if (publication.peer_id === participant.id) participant.handlePublication(publication);
      }
    }
    this.speakers = [];
    this.joined.handleRoster(participants);
  }

  handlePeerJoined(peer: PeerInfo): void {
    const known = this.joined.get(peer.peer_id);
    if (known !== undefined) known.handleInfo(peer);
    else this.joined.handleJoined(new Participant(peer, this.actions));
  }

  handlePeerLeft(peerId: string, reason: LeaveReason): void {
    this.joined.handleLeft(peerId, reason);
    if (this.speakers.some((speaker) => speaker.peerId === peerId)) {
      this.setSpeakers(this.speakers.filter((speaker) => speaker.peerId !== peerId));
    }
  }

  handleTrack(publicationId: string, track: MediaStreamTrack | null): void {
    this.ownerOf(publicationId)?.handleTrack(publicationId, track);
  }

  handlePaused(publicationId: string, reason: PauseReason | null): void {
    this.ownerOf(publicationId)?.handlePaused(publicationId, reason);
  }

  handleEncryption(publicationId: string, problem: EncryptionProblem | null): void {
    this.ownerOf(publicationId)?.handleEncryption(publicationId, problem);
  }

  handleSpeakers(speakers: SpeakerInfo[], active: string | null): void {
    this.setSpeakers(
      speakers.map((speaker) => ({
        peerId: speaker.peer_id,
        publicationId: speaker.publication_id,
        volume: 1 - speaker.level / QUIETEST_LEVEL,
      })),
    );
    if (active === null || active === this.lastActiveSpeaker) return;
    this.lastActiveSpeaker = active;
    const volume = this.speakers.find((speaker) => speaker.peerId === active)?.volume ?? 0;
    this.emit("activeSpeaker", { peerId: active, volume });
  }

  handleCleared(): void {
    this.lastActiveSpeaker = null;
    this.setSpeakers([]);
    this.joined.handleCleared();
    this.waitlisted.handleList([]);
  }

  ownerOf(publicationId: string): Participant | undefined {
    return this.joined.toArray().find((participant) => participant.publications.has(publicationId));
  }

  private setSpeakers(speakers: Speaker[]): void {
    this.speakers = speakers;
    this.emit("speakersUpdate", speakers);
  }
}
