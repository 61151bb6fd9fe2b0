/**
 * The subscribe connection: what this client receives. The server is its only offerer.
 *
 * Every offer carries a version and the list of m-lines in use; an m-line serves one publication after
 * another, so a track belongs to whatever the latest list says.
 */

import type {
  Layer,
  SubscribeItem,
  SubscribeMove,
  SubscribeOffer,
  SubscriptionSpec,
  TileSpec,
} from "@rostrum/protocol";
import type { Clock } from "../clock";
import type { Signal } from "../connection/results";
import { Emitter } from "../emitter";
import { ConnectionLostError, isNamed } from "../errors";
import { Arrivals } from "./arrivals";
import { type Flow, flowOf } from "./pathWatch";
import { PlayoutWatch } from "./playoutWatch";
import { SerialQueue } from "./queue";
import { withStereo } from "./stereo";

export const TELL_AGAIN_MS = 500;

export interface SubscriberOptions {
  signal: Signal;
  clock: Clock;
  createPeerConnection: () => RTCPeerConnection;
  /** Where frames are encrypted end to end: given each receiver before it receives. */
  decrypt?: (receiver: RTCRtpReceiver) => void;
  /** Leaves a codec out of an answer; given where redundant audio is not wanted. */
  refuseCodec?: (transceiver: RTCRtpTransceiver, mimeType: string) => void;
  /** Shows everything as soon as it is there, however much of it is lost on the way. */
  neverWait?: boolean;
}

export interface SubscriberEvents {
  stateChanged: [state: RTCPeerConnectionState];
  /** The track of a publication came, or went (null). */
  track: [publicationId: string, track: MediaStreamTrack | null];
}

/** A connection beside the one in use, which it is to take the place of. */
interface Move {
  number: number;
  pc: RTCPeerConnection;
  offer: SubscribeMove;
}

export class Subscriber extends Emitter<SubscriberEvents> {
  private readonly queue = new SerialQueue();
  private readonly tracks = new Map<string, MediaStreamTrack>();
  private pc: RTCPeerConnection | null = null;
  private move: Move | null = null;
  /** While the server is told that the move is done, it is open whose connection its offers are of. */
  private arriving = false;
  /** The latest offers that came meanwhile: of the old connection, and of the one that takes its place. */
  private held: { old: SubscribeOffer | null; taken: SubscribeOffer | null } = { old: null, taken: null };
  private readonly playout: PlayoutWatch | null;

  constructor(private readonly options: SubscriberOptions) {
    super();
    this.playout = options.neverWait === true ? null : new PlayoutWatch(options.clock, () => this.pc);
  }

  get peerConnection(): RTCPeerConnection | null {
    return this.pc;
  }

  /** What went and came over the connection. */
  flow(): Promise<Flow> {
    return flowOf(this.pc?.getReceivers() ?? []);
  }

  get state(): RTCPeerConnectionState {
    return this.pc?.connectionState ?? "new";
  }

  trackOf(publicationId: string): MediaStreamTrack | null {
    return this.tracks.get(publicationId) ?? null;
  }

  publicationOfTrack(trackId: string): string | null {
    for (const [publicationId, track] of this.tracks) if (track.id === trackId) return publicationId;
    return null;
  }

  /** Asks for publications; their tracks follow with the next offer. Tells what was refused. */
  async subscribe(subscriptions: SubscriptionSpec[]): Promise<SubscribeItem[]> {
    if (subscriptions.length === 0) return [];
    const result = await this.options.signal.request({ type: "subscribe", subscriptions });
    return result.subscriptions;
  }

  async unsubscribe(publicationIds: string[]): Promise<void> {
    if (publicationIds.length === 0) return;
    await this.options.signal.request({ type: "unsubscribe", publication_ids: publicationIds });
  }

  async setTiles(tiles: TileSpec[]): Promise<void> {
    if (tiles.length > 0) await this.options.signal.request({ type: "set_tiles", tiles });
  }

  async setLayer(publicationId: string, preferred: Layer | null): Promise<void> {
    await this.options.signal.request({ type: "set_layer", publication_id: publicationId, preferred });
  }

  async setPaused(publicationId: string, paused: boolean): Promise<void> {
    const type = paused ? "pause_subscription" : "resume_subscription";
    await this.options.signal.request({ type, publication_id: publicationId });
  }

  handleOffer(offer: SubscribeOffer): Promise<void> {
    if (this.arriving) {
      this.held[offer.moved === this.move?.number ? "taken" : "old"] = offer;
      return Promise.resolve();
    }
    const pc = this.ensureConnection();
    return this.queue.run(async () => {
      if (pc !== this.pc) return;
      const answer = await this.answer(pc, offer.offer);
      if (pc !== this.pc) return;
      this.assignTracks(pc, offer);
      await this.tellAnswer({ version: offer.version, answer });
    });
  }

  /** Builds another connection beside this one, and takes it once it carries what this one does. */
  async handleMove(offer: SubscribeMove): Promise<void> {
    if (this.pc === null) return;
    const known = this.move?.number === offer.move ? this.move : null;
    if (known === null) this.dropMove();
    const move = known ?? { number: offer.move, pc: this.createConnection(), offer };
    this.move = move;
    move.offer = offer;
    try {
      const answer = await this.answer(move.pc, offer.offer);
      const { move: number, version } = offer;
      await this.tellAnswer({ move: number, version, answer });
      if (known === null) await this.arrive(move);
    } catch (error) {
      if (this.move !== move) return;
      const { old } = this.held;
      this.dropMove();
      if (old !== null) await this.handleOffer(old);
      // It was called off, or came to nothing: what there is goes on, and the server knows.
      if (!isNamed(error, "NotFound")) throw error;
    }
  }

  /** The server that began a move is gone: what there is goes on. One that it may know to be done is asked about. */
  forgetMove(): void {
    if (!this.arriving) this.dropMove();
  }

  /** A subscription ended; its m-line may serve another publication after the next offer. */
  handleEnded(publicationId: string): void {
    if (this.tracks.delete(publicationId)) this.emit("track", publicationId, null);
  }

  /** New servers for the connection that there is; they count from its next ICE restart on. */
  configure(configuration: RTCConfiguration): void {
    if (this.pc !== null && this.pc.signalingState !== "closed") this.pc.setConfiguration(configuration);
  }

  /** Resolves once it is negotiated: the server's offer for it comes with the answer. */
  async restartIce(): Promise<void> {
    if (this.pc === null) return;
    await this.options.signal.request({ type: "restart_ice" });
    await this.queue.settled();
  }

  /** Forgets the connection and all tracks; the next offer makes a new one. */
  reset(): void {
    this.queue.abandon();
    this.playout?.stop();
    this.dropMove();
    const pc = this.pc;
    this.pc = null;
    for (const publicationId of [...this.tracks.keys()]) this.handleEnded(publicationId);
    if (pc === null) return;
    pc.onconnectionstatechange = null;
    pc.close();
    this.emit("stateChanged", "closed");
  }

  private async answer(pc: RTCPeerConnection, offer: string): Promise<string> {
    await pc.setRemoteDescription({ type: "offer", sdp: offer });
    const { refuseCodec, decrypt } = this.options;
    if (decrypt !== undefined) for (const each of pc.getTransceivers()) decrypt(each.receiver);
    if (refuseCodec !== undefined) for (const each of pc.getTransceivers()) refuseCodec(each, "audio/red");
    const { sdp } = await pc.createAnswer();
    await pc.setLocalDescription({ type: "answer", sdp: withStereo(sdp ?? "", offer) });
    return pc.localDescription?.sdp ?? "";
  }

  /** Said twice, over a socket that went and the next one, or to an offer that came again: the server has it already. */
  private async tellAnswer(answer: { move?: number; version: number; answer: string }): Promise<void> {
    try {
      await this.options.signal.request({ type: "subscribe_answer", ...answer });
    } catch (error) {
      if (!isNamed(error, "InvalidState")) throw error;
    }
  }

  private async arrive(move: Move): Promise<void> {
    const old = this.pc;
    if (old === null || !(await new Arrivals(this.options.clock, old, move.pc).wait(() => this.move === move))) {
      if (this.move === move) this.dropMove();
      return;
    }
    this.arriving = true;
    await this.tell(move);
    if (this.move !== move) return;
    const { taken } = this.held;
    this.letGo();
    this.take(move, old);
    if (taken !== null) await this.handleOffer(taken);
  }

  /** Asks again where the answer was lost: the server may have closed the old connection or not. */
  private async tell(move: Move): Promise<void> {
    const { clock, signal } = this.options;
    while (this.move === move) {
      try {
        await signal.request({ type: "subscribe_moved", move: move.number });
        return;
      } catch (error) {
        if (!(error instanceof ConnectionLostError)) throw error;
        await new Promise<void>((resolve) => clock.setTimeout(resolve, TELL_AGAIN_MS));
      }
    }
  }

  private take(move: Move, old: RTCPeerConnection): void {
    this.queue.abandon();
    old.onconnectionstatechange = null;
    this.pc = move.pc;
    move.pc.onconnectionstatechange = () => this.emit("stateChanged", move.pc.connectionState);
    this.assignTracks(move.pc, move.offer);
    this.emit("stateChanged", move.pc.connectionState);
    old.close();
  }

  private dropMove(): void {
    const move = this.move;
    this.letGo();
    move?.pc.close();
  }

  private letGo(): void {
    this.move = null;
    this.arriving = false;
    this.held = { old: null, taken: null };
  }

  private assignTracks(pc: RTCPeerConnection, offer: Pick<SubscribeOffer, "mids">): void {
    const byMid = new Map(pc.getTransceivers().map((transceiver) => [transceiver.mid, transceiver]));
    const listed = new Set(offer.mids.map((mid) => mid.publication_id));
    for (const publicationId of [...this.tracks.keys()]) {
      if (!listed.has(publicationId)) this.handleEnded(publicationId);
    }
    for (const { mid, publication_id } of offer.mids) {
      const track = byMid.get(mid)?.receiver.track;
      if (track === undefined || this.tracks.get(publication_id) === track) continue;
      this.tracks.set(publication_id, track);
      this.emit("track", publication_id, track);
    }
  }

  private ensureConnection(): RTCPeerConnection {
    if (this.pc !== null) return this.pc;
    const pc = this.createConnection();
    pc.onconnectionstatechange = () => this.emit("stateChanged", pc.connectionState);
    this.pc = pc;
    return pc;
  }

  private createConnection(): RTCPeerConnection {
    const pc = this.options.createPeerConnection();
    this.playout?.follow(pc);
    return pc;
  }
}
