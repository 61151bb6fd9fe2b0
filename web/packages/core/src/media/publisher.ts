/**
 * The publish connection: what this client sends. The client is its only offerer.
 *
 * A source without simulcast keeps its transceiver for as long as the connection lives: unpublishing empties
 * and deactivates it, publishing the source again uses it again. One with simulcast is stopped, and its m-line
 * is recycled: a new stream names its encodings again, an old one would not. Operations run one after the other, so that
 * no two offers are open at once; one that the server refuses is undone before the caller hears of it. What it leaves
 * behind has no m-line, and is kept: Chromium gives the m-line of the next transceiver to one that was stopped like that.
 */

import { withoutLayers } from "./encodings";
import type { PublicationSpec, PublishedItem } from "@rostrum/protocol";
import type { RequestBody } from "../connection/requests";
import type { Signal } from "../connection/results";
import { Emitter } from "../emitter";
import { isNamed } from "../errors";
import { type Flow, flowOf } from "./pathWatch";
import { SerialQueue } from "./queue";

const ANCHOR_SOURCE = "microphone";

export interface PublishItem {
  source: string;
  kind: "audio" | "video";
  track: MediaStreamTrack;
  encodings?: RTCRtpEncodingParameters[];
  /** Media type of the codec to put first, for example "video/VP8". */
  codec?: string;
}

interface Slot {
  transceiver: RTCRtpTransceiver;
  publicationId: string | null;
  muted: boolean;
  /** Of simulcast, else "". Browsers say them only until they were acknowledged once: not to be used again then. */
  rids: string;
}

export interface PublisherOptions {
  signal: Signal;
  createPeerConnection: () => RTCPeerConnection;
  preferCodec: (transceiver: RTCRtpTransceiver, mimeType: string) => void;
  /** Where frames are encrypted end to end: given each sender before it sends. */
  encrypt?: (sender: RTCRtpSender, kind: string) => void;
}

export interface PublisherEvents {
  stateChanged: [state: RTCPeerConnectionState];
}

export class Publisher extends Emitter<PublisherEvents> {
  private readonly queue = new SerialQueue();
  private readonly slots = new Map<string, Slot>();
  private pc: RTCPeerConnection | null = null;
  private createData: ((pc: RTCPeerConnection) => void) | null = null;

  constructor(private readonly options: PublisherOptions) {
    super();
  }

  get peerConnection(): RTCPeerConnection | null {
    return this.pc;
  }

  /** What went and came over the connection. */
  flow(): Promise<Flow> {
    return flowOf(this.pc?.getSenders() ?? []);
  }

  get state(): RTCPeerConnectionState {
    return this.pc?.connectionState ?? "new";
  }

  publicationId(source: string): string | null {
    return this.slots.get(source)?.publicationId ?? null;
  }

  /** Whether a source is published, and not muted. */
  sends(source: string): boolean {
    const slot = this.slots.get(source);
    return slot !== undefined && slot.publicationId !== null && !slot.muted;
  }

  sourceOf(publicationId: string): string | null {
    for (const [source, slot] of this.slots) if (slot.publicationId === publicationId) return source;
    return null;
  }

  /** Once everything asked for until now is done, or failed. */
  settled(): Promise<void> {
    return this.queue.settled();
  }

  /** What is published, by publication id. */
  get published(): Map<string, { source: string; muted: boolean }> {
    const found = new Map<string, { source: string; muted: boolean }>();
    for (const [source, { publicationId, muted }] of this.slots) {
      if (publicationId !== null) found.set(publicationId, { source, muted });
    }
    return found;
  }

  sourceOfMid(mid: string): string | null {
    for (const [source, slot] of this.slots) if (slot.transceiver.mid === mid) return source;
    return null;
  }

  /**
   * Sends `items`, all or none. A source that is published already gets the new track and is unmuted, or is published
   * anew where the server has lost it. Where the connection is reset meanwhile it counts as done: whoever resets it
   * publishes again what is turned on.
   */
  publish(items: PublishItem[]): Promise<void> {
    return this.queue.run(async (abandoned) => {
      const fresh = items.filter((item) => this.publicationId(item.source) === null);
      for (const item of items) {
        if (!fresh.includes(item) && !(await this.resumeWith(item))) fresh.push(item);
        if (abandoned.aborted) return;
      }
      if (fresh.length > 0) await this.offerNew(fresh);
    });
  }

  /** Stops sending `source` but keeps its publication; `track` goes with a later `publish`. */
  mute(source: string): Promise<void> {
    return this.queue.run(async () => {
      const slot = this.slots.get(source);
      if (slot === undefined || slot.publicationId === null) return;
      await slot.transceiver.sender.replaceTrack(null);
      if (slot.muted) return;
      slot.muted = true;
      await this.tellEnded({ type: "mute", publication_id: slot.publicationId });
    });
  }

  unpublish(sources: string[]): Promise<void> {
    return this.queue.run(async () => {
      const ids = sources.map((source) => this.publicationId(source)).filter((id) => id !== null);
      await this.emptyAll(sources);
      if (ids.length > 0) await this.tellEnded({ type: "unpublish", publication_ids: ids });
    });
  }

  /** The server ended publications (the stage was left, a permission went): send nothing any more. */
  dropAll(): Promise<void> {
    return this.queue.run(() => this.emptyAll([...this.slots.keys()]));
  }

  drop(source: string): Promise<void> {
    return this.queue.run(() => this.emptyAll([source]));
  }

  /** Has `create` make data channels on this connection, and on each that replaces it. */
  openData(create: (pc: RTCPeerConnection) => void): Promise<void> {
    return this.queue.run(async () => {
      this.createData = create;
      const pc = this.ensureConnection();
      create(pc);
      try {
        await this.negotiate(pc, []);
      } catch (error) {
        if (pc === this.pc && pc.currentRemoteDescription === null) this.forget();
        throw error;
      }
    });
  }

  /**
   * The server tells, by encoding from the lowest, whether anybody receives it: the browser need not encode the
   * rest. What browsers refuse costs nothing but bandwidth.
   */
  handleWanted(publicationId: string, encodings: boolean[]): Promise<void> {
    return this.queue.run(async () => {
      const source = this.sourceOf(publicationId);
      const slot = source === null ? undefined : this.slots.get(source);
      if (slot !== undefined) await setActive(slot.transceiver.sender, (index) => encodings[index] ?? true);
    });
  }

  /** What the server takes for muted may not be: a request was lost with a server. It is told again. */
  reconcileMuted(publicationId: string, muted: boolean): Promise<void> {
    return this.queue.run(async () => {
      const wanted = this.published.get(publicationId)?.muted;
      if (wanted === undefined || wanted === muted) return;
      await this.options.signal.request({ type: wanted ? "mute" : "unmute", publication_id: publicationId });
    });
  }

  handleMuted(source: string, muted: boolean): void {
    const slot = this.slots.get(source);
    if (slot !== undefined) slot.muted = muted;
  }

  /** A new path to the same node; the DTLS association stays. */
  restartIce(): Promise<void> {
    return this.queue.run(async () => {
      if (this.pc === null || this.pc.signalingState === "closed") return;
      this.pc.restartIce();
      await this.negotiate(this.pc, []);
    });
  }

  /** New servers for the connection that there is; they count from its next ICE restart on. */
  configure(configuration: RTCConfiguration): void {
    if (this.pc !== null && this.pc.signalingState !== "closed") this.pc.setConfiguration(configuration);
  }

  /** Forgets the connection, and what it was doing; what is published next makes a new one. */
  reset(): void {
    this.queue.abandon();
    this.forget();
  }

  private forget(): void {
    this.slots.clear();
    const pc = this.pc;
    this.pc = null;
    if (pc === null) return;
    pc.onconnectionstatechange = null;
    pc.close();
    this.emit("stateChanged", "closed");
  }

  /** What went with its node, or was ended by a request whose answer was lost, nobody sees or hears any more. */
  private async tellEnded(request: RequestBody): Promise<void> {
    try {
      await this.options.signal.request(request);
    } catch (error) {
      if (!isNamed(error, "NotFound")) throw error;
    }
  }

  /** False where the server has not got the publication any more: it went with its node, and is no more here either. */
  private async resumeWith(item: PublishItem): Promise<boolean> {
    const { pc } = this;
    const slot = this.slots.get(item.source);
    if (slot === undefined || slot.publicationId === null) return true;
    await slot.transceiver.sender.replaceTrack(item.track);
    if (!slot.muted) return true;
    try {
      await this.options.signal.request({ type: "unmute", publication_id: slot.publicationId });
    } catch (error) {
      if (!isNamed(error, "NotFound")) throw error;
      if (pc === this.pc) await this.empty(item.source);
      return false;
    }
    slot.muted = false;
    return true;
  }

  private async offerNew(items: PublishItem[]): Promise<void> {
    const pc = this.ensureConnection();
    try {
      for (const item of items) await this.occupy(pc, item);
      await this.negotiate(pc, items);
    } catch (error) {
      await this.undo(pc, items);
      throw error;
    }
  }

  private async occupy(pc: RTCPeerConnection, item: PublishItem): Promise<void> {
    const slot = this.slotFor(item);
    if (slot !== undefined) {
      this.options.encrypt?.(slot.transceiver.sender, item.kind);
      await slot.transceiver.sender.replaceTrack(item.track);
      slot.transceiver.direction = "sendonly";
      slot.muted = false;
      await setActive(slot.transceiver.sender, () => true);
      if (item.codec !== undefined) this.options.preferCodec(slot.transceiver, item.codec);
      return;
    }
    const transceiver = addSender(pc, item);
    if (item.codec !== undefined) this.options.preferCodec(transceiver, item.codec);
    this.options.encrypt?.(transceiver.sender, item.kind);
    this.slots.set(item.source, { transceiver, publicationId: null, muted: false, rids: ridsOf(item) });
  }

  /** The slot of a source, unless it cannot be used for this. */
  private slotFor(item: PublishItem): Slot | undefined {
    const slot = this.slots.get(item.source);
    if (slot === undefined || slot.rids === "") return slot;
    const spent = slot.transceiver.mid !== null;
    if (!spent && slot.rids === ridsOf(item)) return slot;
    if (spent) slot.transceiver.stop();
    this.slots.delete(item.source);
    return undefined;
  }

  private async negotiate(pc: RTCPeerConnection, items: PublishItem[]): Promise<void> {
    await pc.setLocalDescription(await pc.createOffer());
    try {
      const result = await this.options.signal.request({
        type: "publish",
        offer: pc.localDescription?.sdp ?? "",
        publications: items.map((item) => this.specOf(item)),
      });
      await pc.setRemoteDescription({ type: "answer", sdp: result.answer });
      this.remember(result.publications);
    } catch (error) {
      if (pc.signalingState === "have-local-offer") await pc.setLocalDescription({ type: "rollback" });
      throw error;
    }
  }

  private specOf(item: PublishItem): PublicationSpec {
    const mid = this.slots.get(item.source)?.transceiver.mid;
    if (mid === null || mid === undefined) throw new Error(`${item.source} has no m-line in the offer`);
    const encrypted = this.options.encrypt === undefined ? {} : { encrypted: true };
    return { mid, source: item.source, kind: item.kind, ...encrypted };
  }

  private remember(published: PublishedItem[]): void {
    for (const item of published) {
      const slot = this.slots.get(item.source);
      if (slot !== undefined) slot.publicationId = item.publication_id;
    }
  }

  /**
   * Nothing of `items` is sent any more. A connection that never came about goes with them: Chromium cannot
   * offer again with the transceivers that a rollback of the first offer leaves behind.
   */
  private async undo(pc: RTCPeerConnection, items: PublishItem[]): Promise<void> {
    if (pc !== this.pc) return;
    if (pc.currentRemoteDescription === null) {
      this.forget();
      return;
    }
    await this.emptyAll(items.map(({ source }) => source));
  }

  /** Of the connection that there is: what is emptied as it is forgotten ends there. */
  private async emptyAll(sources: string[]): Promise<void> {
    const { pc } = this;
    for (const source of sources) {
      if (pc !== this.pc) return;
      await this.empty(source);
    }
  }

  private async empty(source: string): Promise<void> {
    const slot = this.slots.get(source);
    if (slot === undefined) return;
    slot.publicationId = null;
    slot.muted = false;
    const { pc } = this;
    if (pc === null || pc.signalingState === "closed") return;
    await slot.transceiver.sender.replaceTrack(null);
    if (pc !== this.pc) return;
    if (slot.rids !== "" && slot.transceiver.mid !== null) {
      slot.transceiver.stop();
      this.slots.delete(source);
    } else {
      slot.transceiver.direction = "inactive";
    }
  }

  private ensureConnection(): RTCPeerConnection {
    if (this.pc !== null) return this.pc;
    const pc = this.options.createPeerConnection();
    pc.onconnectionstatechange = () => this.emit("stateChanged", pc.connectionState);
    this.pc = pc;
    // The first m-line carries the transport of them all and must never be stopped: make it the microphone's.
    const transceiver = pc.addTransceiver("audio", { direction: "inactive" });
    this.slots.set(ANCHOR_SOURCE, { transceiver, publicationId: null, muted: false, rids: "" });
    this.createData?.(pc);
    return pc;
  }
}

async function setActive(sender: RTCRtpSender, active: (index: number) => boolean): Promise<void> {
  const parameters = sender.getParameters();
  const before = parameters.encodings.map((encoding) => encoding.active);
  parameters.encodings.forEach((encoding, index) => (encoding.active = active(index)));
  const changed = parameters.encodings.some((encoding, index) => encoding.active !== before[index]);
  if (changed) await sender.setParameters(parameters);
}

function addSender(pc: RTCPeerConnection, { track, encodings }: PublishItem): RTCRtpTransceiver {
  if (encodings === undefined) return pc.addTransceiver(track, { direction: "sendonly" });
  try {
    return pc.addTransceiver(track, { direction: "sendonly", sendEncodings: encodings });
  } catch (error) {
    const plain = withoutLayers(encodings);
    if (!encodings.some((encoding) => "scalabilityMode" in encoding)) throw error;
    return pc.addTransceiver(track, { direction: "sendonly", sendEncodings: plain });
  }
}

function ridsOf({ encodings = [] }: PublishItem): string {
  return encodings.length > 1 ? encodings.map(({ rid }) => rid).join() : "";
}
