/**
 * The subscribe connection: what this client receives. The server is its only offerer.
 *
 * Every offer carries a version and the list of m-lines in use; an m-line serves one publication after
 * another, so a track belongs to whatever the latest list says.
 */

import type { Layer, SubscribeItem, SubscribeOffer, SubscriptionSpec, TileSpec } from "@rostrum/protocol";
import type { Signal } from "../connection/results";
import { Emitter } from "../emitter";
import { SerialQueue } from "./queue";
import { withStereo } from "./stereo";

export interface SubscriberOptions {
  signal: Signal;
  createPeerConnection: () => RTCPeerConnection;
  /** Where frames are encrypted end to end: given each receiver before it receives. */
  decrypt?: (receiver: RTCRtpReceiver) => void;
  /** Leaves a codec out of an answer; given where redundant audio is not wanted. */
  refuseCodec?: (transceiver: RTCRtpTransceiver, mimeType: string) => void;
}

export interface SubscriberEvents {
  stateChanged: [state: RTCPeerConnectionState];
  /** The track of a publication came, or went (null). */
  track: [publicationId: string, track: MediaStreamTrack | null];
}

export class Subscriber extends Emitter<SubscriberEvents> {
  private readonly queue = new SerialQueue();
  private readonly tracks = new Map<string, MediaStreamTrack>();
  private pc: RTCPeerConnection | null = null;

  constructor(private readonly options: SubscriberOptions) {
    super();
  }

  get peerConnection(): RTCPeerConnection | null {
    return this.pc;
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
    const pc = this.ensureConnection();
    return this.queue.run(async () => {
      if (pc !== this.pc) return;
      await pc.setRemoteDescription({ type: "offer", sdp: offer.offer });
      const { refuseCodec, decrypt } = this.options;
      if (decrypt !== undefined) for (const each of pc.getTransceivers()) decrypt(each.receiver);
      if (refuseCodec !== undefined) for (const each of pc.getTransceivers()) refuseCodec(each, "audio/red");
      const { sdp } = await pc.createAnswer();
      await pc.setLocalDescription({ type: "answer", sdp: withStereo(sdp ?? "", offer.offer) });
      const answer = pc.localDescription?.sdp ?? "";
      this.assignTracks(pc, offer);
      await this.options.signal.request({ type: "subscribe_answer", version: offer.version, answer });
    });
  }

  /** A subscription ended; its m-line may serve another publication after the next offer. */
  handleEnded(publicationId: string): void {
    if (this.tracks.delete(publicationId)) this.emit("track", publicationId, null);
  }

  /** New servers for the connection that there is; they count from its next ICE restart on. */
  configure(configuration: RTCConfiguration): void {
    if (this.pc !== null && this.pc.signalingState !== "closed") this.pc.setConfiguration(configuration);
  }

  async restartIce(): Promise<void> {
    if (this.pc !== null) await this.options.signal.request({ type: "restart_ice" });
  }

  /** Forgets the connection and all tracks; the next offer makes a new one. */
  reset(): void {
    const pc = this.pc;
    this.pc = null;
    for (const publicationId of [...this.tracks.keys()]) this.handleEnded(publicationId);
    if (pc === null) return;
    pc.onconnectionstatechange = null;
    pc.close();
    this.emit("stateChanged", "closed");
  }

  private assignTracks(pc: RTCPeerConnection, offer: SubscribeOffer): void {
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
    const pc = this.options.createPeerConnection();
    pc.onconnectionstatechange = () => this.emit("stateChanged", pc.connectionState);
    this.pc = pc;
    return pc;
  }
}
