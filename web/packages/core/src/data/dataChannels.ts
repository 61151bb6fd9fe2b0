/**
 * `meeting.data`: small messages to all or some of the others, past the server's database.
 *
 *     closed --open(), send()--> connecting --both channels--> open
 *       ^                            ^                           |
 *       +---------- close() ---------+----- the connection went -+
 *
 * Two channels on the publish connection: "reliable" keeps every message and its order, "lossy" keeps no message
 * that does not get through at once. Once opened they come back by themselves: with a new connection after the
 * media server was lost, and one that the server closed because this client was too slow.
 */

import type { DataDropped } from "@rostrum/protocol";
import type { Clock, TimerId } from "../clock";
import { Emitter } from "../emitter";
import { RostrumError } from "../errors";
import { decodeMessage, encodeMessage, type Envelope } from "./message";

export type DataState = "closed" | "connecting" | "open";

export interface DataMessage extends Envelope {
  reliable: boolean;
}

export interface SendOptions {
  /** Peer ids; everybody else by default. */
  to?: readonly string[];
  /** What it is about, for receivers to tell messages apart. */
  topic?: string;
  /** True by default: every message arrives, in order. */
  reliable?: boolean;
}

export interface DataEvents {
  message: [message: DataMessage];
  /** Messages of or to this client that the server did not relay. */
  dropped: [update: { reason: DataDropped["reason"]; messages: number }];
  stateUpdate: [state: DataState];
}

export interface DataChannelsOptions {
  clock: Clock;
  /** Has `create` called with the publish connection, now and whenever there is a new one. */
  openOn: (create: (connection: RTCPeerConnection) => void) => Promise<void>;
  maySend: () => boolean;
}

type Label = "reliable" | "lossy";
const INITS: Record<Label, RTCDataChannelInit> = {
  reliable: { ordered: true },
  lossy: { ordered: false, maxRetransmits: 0 },
};
const LABELS: Label[] = ["reliable", "lossy"];

export const REOPEN_AFTER_MS = 1_000;
/** How much may wait in the browser: a reliable send waits its turn then, a lossy one is dropped. */
const MOST_BUFFERED: Record<Label, number> = { reliable: 1024 * 1024, lossy: 64 * 1024 };

export class DataChannels extends Emitter<DataEvents> {
  state: DataState = "closed";

  private connection: RTCPeerConnection | null = null;
  private readonly channels = new Map<Label, RTCDataChannel>();
  private opening: Promise<void> | null = null;
  private wanted = false;
  private timer: TimerId | null = null;

  constructor(private readonly options: DataChannelsOptions) {
    super();
  }

  /** Resolves once both channels are open. Rejects with the server's reason; asking again tries again. */
  open(): Promise<void> {
    if (this.state === "open") return Promise.resolve();
    this.wanted = true;
    this.opening ??= this.openNow().finally(() => (this.opening = null));
    return this.opening;
  }

  /** Receives and sends nothing any more. */
  close(): void {
    this.wanted = false;
    if (this.timer !== null) this.options.clock.clearTimeout(this.timer);
    this.timer = null;
    this.dropConnection();
    this.moveTo("closed");
  }

  /**
   * Sends `payload`, opening the channels where that was not done. Resolves when the browser has taken it over.
   * Rejects for a payload of more than 64 KiB, and without the permission `canSendData`.
   */
  async send(payload: Uint8Array | ArrayBuffer | string, options: SendOptions = {}): Promise<void> {
    const bytes = typeof payload === "string" ? new TextEncoder().encode(payload) : new Uint8Array(payload);
    const message = encodeMessage(bytes, options.topic ?? "", options.to);
    if (!this.options.maySend()) {
      throw new RostrumError("PermissionDenied", "You may not send data messages.", 2001);
    }
    await this.open();
    const label = options.reliable === false ? "lossy" : "reliable";
    const channel = this.channels.get(label);
    if (channel === undefined) throw closedMeanwhile();
    if (channel.bufferedAmount + message.length > MOST_BUFFERED[label]) {
      if (label === "lossy") return;
      await drained(channel);
    }
    if (channel.readyState !== "open") throw closedMeanwhile();
    channel.send(message);
  }

  // --- what the meeting feeds in ---------------------------------------------------------------------

  /** The publish connection is gone; what replaces it gets channels, too. */
  handleConnectionLost(): void {
    if (this.connection === null) return;
    this.dropConnection();
    if (!this.wanted) return;
    this.moveTo("connecting");
    // One that goes while they are being opened was refused: not again at once.
    this.reopenIn(this.opening === null ? 0 : REOPEN_AFTER_MS);
  }

  handleDropped(event: DataDropped): void {
    this.emit("dropped", { reason: event.reason, messages: event.messages });
  }

  // --- inside ----------------------------------------------------------------------------------------

  private async openNow(): Promise<void> {
    this.moveTo("connecting");
    try {
      if (this.connection === null) await this.options.openOn((connection) => this.create(connection));
      await this.opened();
    } catch (error) {
      this.dropConnection();
      this.moveTo("closed");
      throw error;
    }
  }

  private opened(): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.state === "open") return resolve();
      const stop = this.on("stateUpdate", (state) => {
        if (state === "connecting") return;
        stop();
        if (state === "open") resolve();
        else reject(closedMeanwhile());
      });
    });
  }

  private create(connection: RTCPeerConnection): void {
    if (!this.wanted || connection === this.connection) return;
    this.connection = connection;
    for (const label of LABELS) this.createChannel(connection, label);
  }

  private createChannel(connection: RTCPeerConnection, label: Label): void {
    const channel = connection.createDataChannel(label, INITS[label]);
    channel.binaryType = "arraybuffer";
    channel.bufferedAmountLowThreshold = MOST_BUFFERED[label] / 4;
    channel.onopen = () => this.handleOpen();
    channel.onclose = () => this.handleClosed(label);
    channel.onmessage = (event: MessageEvent<unknown>) => this.handleMessage(label, event.data);
    this.channels.set(label, channel);
  }

  private handleOpen(): void {
    if (LABELS.every((label) => this.channels.get(label)?.readyState === "open")) this.moveTo("open");
  }

  /** Without its connection having gone: the server closed it. */
  private handleClosed(label: Label): void {
    this.channels.delete(label);
    this.moveTo("connecting");
    this.reopenIn(REOPEN_AFTER_MS);
  }

  private reopenIn(milliseconds: number): void {
    const { clock } = this.options;
    this.timer ??= clock.setTimeout(() => {
      this.timer = null;
      if (!this.wanted) return;
      if (this.connection === null) this.open().catch(() => this.reopenIn(REOPEN_AFTER_MS));
      else this.reopenChannels(this.connection);
    }, milliseconds);
  }

  private reopenChannels(connection: RTCPeerConnection): void {
    if (connection.signalingState === "closed") return;
    for (const label of LABELS) if (!this.channels.has(label)) this.createChannel(connection, label);
  }

  private handleMessage(label: Label, data: unknown): void {
    const envelope = data instanceof ArrayBuffer ? decodeMessage(data) : null;
    if (envelope !== null) this.emit("message", { ...envelope, reliable: label === "reliable" });
  }

  private dropConnection(): void {
    for (const channel of this.channels.values()) {
      channel.onopen = null;
      channel.onclose = null;
      channel.onmessage = null;
      channel.close();
    }
    this.channels.clear();
    this.connection = null;
  }

  private moveTo(state: DataState): void {
    if (state === this.state) return;
    this.state = state;
    this.emit("stateUpdate", state);
  }
}

function drained(channel: RTCDataChannel): Promise<void> {
  return new Promise((resolve) => {
    channel.addEventListener("bufferedamountlow", () => resolve(), { once: true });
    channel.addEventListener("close", () => resolve(), { once: true });
  });
}

function closedMeanwhile(): RostrumError {
  return new RostrumError("DataClosed", "The data channels are closed. Send again once they are open.");
}
