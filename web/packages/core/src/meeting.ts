/**
 * A meeting, seen from one client: puts the parts together and runs the life of a session.
 *
 *     connection ──events──> dispatch ──> participants, stage, self, subscriber
 *     self ──> local media ──> publisher ──requests──> connection
 *
 * `Client.init` makes one; `join` and `leave` are its life.
 */

import type { IceServer, Joined, PublicationInfo, Resumed, Waiting } from "@rostrum/protocol";
import { AutoSubscribe } from "./autoSubscribe";
import { Capture } from "./capture";
import type { Dependencies } from "./dependencies";
import { Connection } from "./connection/connection";
import { DataChannels } from "./data/dataChannels";
import { DeviceReport } from "./deviceReport";
import { dispatch, type DispatchTargets } from "./dispatch";
import { Encryption, type EncryptionOptions, type EncryptionProblem, PROBLEM_OF } from "./e2ee/encryption";
import { isNamed } from "./errors";
import { LocalMedia } from "./localMedia";
import { configurationOf, type PeerConnectionOptions } from "./media/peerConnections";
import { Publisher } from "./media/publisher";
import { Subscriber } from "./media/subscriber";
import { Tiles } from "./media/tiles";
import { Meta } from "./meta";
import { type ClientOptions, joinDetails, socketUrl } from "./options";
import { PathRepair } from "./pathRepair";
import { Participants } from "./participants";
import { type RoomState, roomStateAfter } from "./roomState";
import { Self } from "./self";
import { followSnapshot, type Reconstruction } from "./snapshot";
import { Stage } from "./stage";
import { type MeetingStats, publishStats, subscribeStats } from "./stats";
import { nameFromToken } from "./token";
import { ViewMode } from "./view";

export class Meeting {
  readonly self: Self;
  readonly participants: Participants;
  readonly stage: Stage;
  readonly meta = new Meta();
  readonly data: DataChannels;
  /** Null where media is not encrypted end to end. */
  readonly encryption: Encryption | null;

  private readonly connection: Connection;
  private readonly publisher: Publisher;
  private readonly subscriber: Subscriber;
  private readonly tiles: Tiles;
  private readonly viewMode: ViewMode;
  private readonly autoSubscribe: AutoSubscribe;
  private readonly localMedia: LocalMedia;
  private readonly pathRepair: PathRepair;
  private iceServers: IceServer[] = [];
  private startingMedia: Promise<void> = Promise.resolve();
  private authToken: string;

  constructor(
    private readonly options: ClientOptions,
    dependencies: Dependencies,
  ) {
    const { clock } = dependencies;
    this.authToken = options.authToken;
    this.connection = new Connection({
      url: socketUrl(options.baseURI),
      openSocket: dependencies.openSocket,
      clock,
      joinDetails: () => joinDetails(options, this.authToken, this.self.chosenName, dependencies.machine),
    });
    const createPeerConnection = () => dependencies.createPeerConnection(this.peerConnectionOptions());
    this.encryption = options.e2ee === undefined ? null : this.encryptionOf(options.e2ee);
    const { encryption } = this;
    const withRed = options.overrides?.disableRed !== true && encryption === null;
    this.publisher = new Publisher({
      signal: this.connection,
      createPeerConnection,
      preferCodec: dependencies.setPreferredCodec,
      ...(encryption === null ? {} : { encrypt: (sender, kind) => encryption.protectSender(sender, kind) }),
    });
    this.subscriber = new Subscriber({
      signal: this.connection,
      clock,
      createPeerConnection,
      neverWait: options.overrides?.disablePlayoutDelay === true,
      ...(withRed ? {} : { refuseCodec: dependencies.refuseCodec }),
      ...(encryption === null ? {} : { decrypt: (receiver) => encryption.protectReceiver(receiver) }),
    });
    this.viewMode = new ViewMode(this.connection, {
      awaited: options.awaitView === true,
      encrypted: encryption !== null,
      onManual: () => this.subscribeToAll(),
    });
    this.autoSubscribe = new AutoSubscribe({
      subscriber: this.subscriber,
      isOn: () => options.autoSubscribe !== false && this.viewMode.isManual,
      canOpen: (id) => this.participants.ownerOf(id)?.publications.get(id)?.encryptionProblem === null,
      failed: (error) => this.handleMediaError(error),
    });
    this.tiles = new Tiles({
      clock,
      watchElement: dependencies.watchElement,
      send: (tiles) => this.subscriber.setTiles(tiles),
    });
    this.participants = new Participants(this.connection, this.subscriber, this.tiles, this.viewMode, (info) =>
      this.problemOf(info),
    );
    this.data = new DataChannels({
      clock,
      openOn: (create) => this.publisher.openData(create),
      maySend: () => this.self.permissions.canSendData,
    });
    this.stage = new Stage(this.connection, this.participants.joined);
    const capture = new Capture(dependencies.mediaDevices);
    this.localMedia = new LocalMedia({
      capture,
      publisher: this.publisher,
      config: () => this.self.config,
      mayPublish: () => this.mayPublish(),
      simulcast: options.overrides?.disableSimulcast !== true,
      videoCodec: options.overrides?.videoCodec ?? "VP8",
      redundantAudio: withRed,
      clock,
      failed: (error) => this.self.announcePublishError(error),
    });
    this.self = new Self({
      name: options.invitation?.participant.name ?? nameFromToken(options.authToken),
      picture: options.invitation?.participant.picture ?? null,
      media: this.localMedia,
      capture,
      stage: this.stage,
    });
    if (options.reportDevices !== false) new DeviceReport({ self: this.self, signal: this.connection, clock });
    this.meta.meetingTitle = options.invitation?.meeting.title ?? null;
    this.pathRepair = new PathRepair({
      clock,
      connection: this.connection,
      publisher: this.publisher,
      subscriber: this.subscriber,
      watchNetwork: dependencies.watchNetwork,
      failed: (error) => this.handleMediaError(error),
    });
    this.listen();
  }

  /**
   * Joins, and publishes what is turned on where that is allowed. Rejects with the server's reason. Who has to wait to
   * be admitted is not in when it resolves: `self.roomState` is `waitlisted` then.
   */
  async join(): Promise<void> {
    if (["waitlisted", "joined", "disconnected"].includes(this.self.roomState)) return;
    this.pathRepair.start();
    await this.connection.open();
    await this.startingMedia;
  }

  /** Leaves at once; the server is told if it can be reached. */
  async leave(): Promise<void> {
    if (this.connection.state === "connected") {
      await this.connection.request({ type: "leave" }).catch(() => undefined);
    }
    this.finish("left");
  }

  /** Another client token, in time: who has none when the present one is over is put out. It is joined with from now on. */
  async updateToken(token: string): Promise<void> {
    await this.connection.request({ type: "update_token", token });
    this.authToken = token;
  }

  async stats(): Promise<MeetingStats> {
    const [server, publish, subscribe] = await Promise.all([
      this.connection.request({ type: "get_stats" }).catch(() => null),
      publishStats(this.publisher.peerConnection, (mid) => this.publisher.sourceOfMid(mid)),
      subscribeStats(this.subscriber.peerConnection, (id) => this.subscriber.publicationOfTrack(id)),
    ]);
    return { server, publish, subscribe };
  }

  private listen(): void {
    this.connection.on("stateChanged", (state, attempt) => {
      if (state === "reconnecting" && this.self.roomState !== "waitlisted") this.self.handleRoomState("disconnected");
      this.meta.handleSocketState(state, attempt);
    });
    this.connection.on("joined", (joined, again) => this.handleJoined(joined, again));
    this.connection.on("waiting", (waiting) => this.handleWaiting(waiting));
    this.connection.on("resumed", (resumed) => this.handleResumed(resumed));
    this.connection.on("failed", () => {
      if (this.self.roomState === "disconnected" || this.self.roomState === "waitlisted") this.finish("failed");
    });
    const targets = this.dispatchTargets();
    this.connection.on("event", (event) => dispatch(event, targets));
    this.publisher.on("stateChanged", (state) => {
      if (state === "closed") this.data.handleConnectionLost();
      this.meta.handleMediaState("producing", state);
    });
    this.subscriber.on("stateChanged", (state) => this.meta.handleMediaState("consuming", state));
    this.subscriber.on("track", (publicationId, track) => {
      if (track === null) this.tiles.handleEnded(publicationId);
      else this.tiles.handleSubscribed(publicationId);
      this.participants.handleTrack(publicationId, track);
      if (track === null) this.autoSubscribe.handleEnded(publicationId);
    });
    this.stage.on("stageStatusUpdate", (status, previous) => {
      if (!this.self.roomJoined) return;
      if (status === "ON_STAGE") this.startSending();
      else if (previous === "ON_STAGE") this.stopSending();
    });
  }

  private dispatchTargets(): DispatchTargets {
    return {
      self: this.self,
      stage: this.stage,
      participants: this.participants,
      publisher: this.publisher,
      subscriber: this.subscriber,
      localMedia: this.localMedia,
      data: this.data,
      published: (publicationIds) => this.handlePublished(publicationIds),
      mediaReset: () => this.handleMediaReset(),
      iceServers: (servers) => this.handleIceServers(servers),
      sessionLeft: (reason) => this.handleSessionLeft(reason),
      failed: (error) => this.handleMediaError(error),
    };
  }

  /** Also where one was in, and comes back to a meeting in which one has to wait: nothing of it is there any more. */
  private handleWaiting(waiting: Waiting): void {
    this.resetMedia();
    this.participants.handleCleared();
    this.stage.handleCleared();
    this.meta.handleMeeting(waiting);
    this.self.handleWaiting(waiting);
  }

  private handleJoined(joined: Joined, again: boolean): void {
    this.resetMedia();
    this.iceServers = joined.ice_servers;
    this.encryption?.handleJoined(joined.meeting.meeting_id).catch((error: unknown) => this.handleMediaError(error));
    this.meta.handleJoined(joined);
    this.self.handleJoined(joined);
    this.participants.handleRoster(joined.peers, joined.publications);
    this.stage.handleInfo(joined.stage);
    this.stage.handleRequests(joined.stage_requests);
    this.participants.waitlisted.handleList(joined.waiting);
    this.self.handleRoomState("joined");
    this.self.announceJoined(again);
    if (joined.stage.status === "ON_STAGE") this.startSending();
    else this.stopSending();
    if (this.options.data === true) this.data.open().catch((error: unknown) => this.handleMediaError(error));
    this.handlePublished(joined.publications.map(({ publication_id }) => publication_id));
    this.repeatView();
  }

  private handleResumed(resumed: Resumed): void {
    this.handleIceServers(resumed.ice_servers);
    this.self.handleRoomState("joined");
    if (resumed.snapshot) followSnapshot(resumed.snapshot, this.dispatchTargets(), this.reconstruction);
    this.self.announceJoined(true);
    this.pathRepair.handleResumed();
  }

  private get reconstruction(): Reconstruction {
    return {
      subscribe: (publicationIds) => this.autoSubscribe.subscribe(publicationIds),
      send: () => this.startSending(),
      repeatView: () => this.repeatView(),
      withData: this.options.data === true,
    };
  }

  private peerConnectionOptions(): PeerConnectionOptions {
    return {
      iceServers: this.iceServers,
      forceRelay: this.options.overrides?.forceRelay ?? false,
      ...(this.encryption !== null && Encryption.needsLegacyStreams ? { encodedStreams: true } : {}),
    };
  }

  /** Other credentials: what is relayed now goes on, what restarts from now on uses these. */
  private handleIceServers(servers: IceServer[]): void {
    this.iceServers = servers;
    const configuration = configurationOf(this.peerConnectionOptions());
    this.publisher.configure(configuration);
    this.subscriber.configure(configuration);
  }

  private handleMediaReset(): void {
    this.resetMedia();
    for (const participant of this.participants.joined) {
      for (const id of [...participant.publications.keys()]) participant.handlePublicationRemoved(id);
    }
    if (this.stage.status === "ON_STAGE") this.startSending();
    this.repeatView();
  }

  private handleSessionLeft(reason: string): void {
    // A server that goes down for a restart takes us back: let the connection look for it.
    if (reason === "shutdown") this.connection.rejoin();
    else this.finish(roomStateAfter(reason));
  }

  /** Whether turning something on sends it now. Off the stage the server is asked all the same: it refuses. */
  private mayPublish(): boolean {
    const inside = this.self.roomState === "joined" || this.self.roomState === "disconnected";
    return inside && this.stage.status !== "ACCEPTED_TO_JOIN_STAGE";
  }

  private startSending(): void {
    const { media } = this.self.permissions;
    const denied = (kind: "audio" | "video" | "screenshare") => media[kind].canProduce === "NOT_ALLOWED";
    for (const source of this.self.censored) this.localMedia.handleEndedRemotely(source);
    if (denied("audio")) this.localMedia.handleEndedRemotely("microphone");
    if (denied("video")) this.localMedia.handleEndedRemotely("camera");
    if (denied("screenshare")) this.localMedia.handleEndedRemotely("screen");
    this.startingMedia = this.localMedia.publishAll();
  }

  private stopSending(): void {
    this.localMedia.stopAll();
    this.publisher.dropAll().catch((error: unknown) => this.handleMediaError(error));
  }

  private subscribeToAll(): void {
    const present = this.participants.joined.toArray().flatMap(({ publications }) => [...publications.keys()]);
    this.autoSubscribe.subscribe(present);
  }

  private repeatView(): void {
    this.viewMode.repeat().catch((error: unknown) => this.handleMediaError(error));
  }

  private handlePublished(publicationIds: string[]): void {
    for (const publicationId of publicationIds) {
      const owner = this.participants.ownerOf(publicationId);
      if (owner?.publications.get(publicationId)?.encryptionProblem === "not_encrypted") {
        this.encryption?.handleNotEncrypted(publicationId, owner.id, owner.name);
      }
    }
    this.autoSubscribe.subscribe(publicationIds);
  }

  /** Encrypted media is for those with a passphrase, and they take no other. */
  private problemOf({ encrypted }: PublicationInfo): EncryptionProblem | null {
    if (this.encryption === null) return encrypted === true ? "no_passphrase" : null;
    return encrypted === true ? null : "not_encrypted";
  }

  private encryptionOf(options: EncryptionOptions): Encryption {
    const encryption = new Encryption(options, {
      publicationOf: (trackId) => {
        const publicationId = this.subscriber.publicationOfTrack(trackId);
        if (publicationId === null) return null;
        const owner = this.participants.ownerOf(publicationId);
        return owner === undefined ? null : { publicationId, peerId: owner.id, name: owner.name };
      },
      setPaused: (publicationId, paused) => {
        this.subscriber.setPaused(publicationId, paused).catch((error: unknown) => this.handleMediaError(error));
      },
    });
    encryption.on("failure", ({ publicationId, reason }) => {
      if (publicationId !== null) this.participants.handleEncryption(publicationId, PROBLEM_OF[reason]);
    });
    encryption.on("recovered", ({ publicationId }) => this.participants.handleEncryption(publicationId, null));
    return encryption;
  }

  /** What fails because the connection or the node went is done again after it came back; the rest is told. */
  private handleMediaError(error: unknown): void {
    if (!isNamed(error, "MediaUnavailable")) this.self.announcePublishError(error);
  }

  private resetMedia(): void {
    this.pathRepair.handleReset();
    this.publisher.reset();
    this.autoSubscribe.reset();
    this.subscriber.reset();
  }

  private finish(state: RoomState): void {
    this.pathRepair.stop();
    this.self.handleRoomState(state);
    this.connection.close();
    this.data.close();
    this.resetMedia();
    this.encryption?.close();
    this.localMedia.stopAll();
    this.participants.handleCleared();
    this.stage.handleCleared();
    this.self.announceLeft();
  }
}
