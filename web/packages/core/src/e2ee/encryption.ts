/**
 * `meeting.encryption`: end-to-end encryption with a passphrase that the server never sees.
 *
 *     passphrase --PBKDF2, meeting id as salt--> base key --> worker --SFrame--> every frame sent and received
 *
 * Everybody with the passphrase has the base key: it keeps the server and strangers out, and does not tell one
 * member from another. Media that is not encrypted is not received, and media under another passphrase is not
 * shown; `failure` says so.
 */

import { browserClock, type Clock, type TimerId } from "../clock";
import { Emitter } from "../emitter";
import { importBaseKey } from "./sframe";
import type { FailureReason, Frame, FromWorker, PipeOptions, ToWorker } from "./worker";

export const PBKDF2_ITERATIONS = 600_000;
/** What could not be opened is looked at again after so long, twice as long each time, ... */
export const LOOK_AGAIN_MS = 2_000;
/** ... at last this long: its sender may have corrected the passphrase, or it was a hiccup. */
export const LOOK_AGAIN_AT_MOST_MS = 15_000;

export interface EncryptionOptions {
  /** What everybody in the meeting has to know; tell it by another way than this server. */
  passphrase: string;
  /** Starts the module `e2ee/worker.ts`, where a bundler has to be told of it. */
  createWorker?: () => Worker;
}

export interface EncryptionFailure {
  reason: FailureReason | "not_encrypted";
  /** Whose media it is; null for one's own. */
  peerId: string | null;
  publicationId: string | null;
  /** A sentence for people. */
  message: string;
}

/** Why a publication cannot be seen or heard here. */
export type EncryptionProblem = "no_passphrase" | "wrong_passphrase" | "not_encrypted" | "unsupported_codec";

export const PROBLEM_OF: Record<EncryptionFailure["reason"], EncryptionProblem> = {
  wrong_key: "wrong_passphrase",
  unsupported_codec: "unsupported_codec",
  not_encrypted: "not_encrypted",
};

export interface EncryptionEvents {
  failure: [failure: EncryptionFailure];
  recovered: [update: { peerId: string; publicationId: string }];
}

export interface EncryptionTargets {
  /** Whose media the receiver of that track carries at the moment. */
  publicationOf: (trackId: string) => { publicationId: string; peerId: string; name: string } | null;
  /** Whether packets of a publication are wanted: nobody should send what cannot be opened. */
  setPaused: (publicationId: string, paused: boolean) => void;
}

const MESSAGES = {
  wrong_key: (name: string) => `What ${name} sends cannot be decrypted: the passphrase there is another one.`,
  unsupported_codec: (name: string) => `What ${name} sends is in a codec that cannot be encrypted end to end.`,
  not_encrypted: (name: string) => `What ${name} sends is not encrypted end to end, and is not received.`,
};

/** The streams of older Chromium. */
interface LegacyStreams {
  createEncodedStreams(): { readable: ReadableStream<Frame>; writable: WritableStream<Frame> };
}

export class Encryption extends Emitter<EncryptionEvents> {
  private worker: Worker | null = null;
  private readonly handled = new WeakSet<RTCRtpSender | RTCRtpReceiver>();
  /** What is not sent for now, because it could not be opened; by publication id. */
  private readonly paused = new Map<string, { timer: TimerId; wait: number }>();
  private passphrase: string;
  private salt: string | null = null;

  constructor(
    private readonly options: EncryptionOptions,
    private readonly targets: EncryptionTargets,
    private readonly clock: Clock = browserClock,
  ) {
    super();
    this.passphrase = options.passphrase;
  }

  /** Whether connections have to be made for createEncodedStreams. */
  static get needsLegacyStreams(): boolean {
    return typeof RTCRtpScriptTransform === "undefined";
  }

  /** Another passphrase, for what is sent and received from now on. */
  async setPassphrase(passphrase: string): Promise<void> {
    this.passphrase = passphrase;
    await this.deriveKey();
    const paused = [...this.paused.keys()];
    this.forget();
    for (const publicationId of paused) this.targets.setPaused(publicationId, false);
  }

  protectSender(sender: RTCRtpSender, kind: string): void {
    const mimeType = kind === "video" ? "video/VP8" : "audio/opus";
    this.pipe(sender, { side: "sender", id: "", mimeType });
  }

  protectReceiver(receiver: RTCRtpReceiver): void {
    const { id, kind } = receiver.track;
    this.pipe(receiver, { side: "receiver", id, mimeType: kind === "video" ? "video/VP8" : "audio/opus" });
  }

  // --- what the meeting feeds in ---------------------------------------------------------------------

  /** Frames wait until this is done. */
  handleJoined(meetingId: string): Promise<void> {
    if (this.salt === meetingId) return Promise.resolve();
    this.salt = meetingId;
    return this.deriveKey();
  }

  /** Somebody's publication is not marked as encrypted, and was left alone. */
  handleNotEncrypted(publicationId: string, peerId: string, name: string): void {
    this.emit("failure", { reason: "not_encrypted", peerId, publicationId, message: MESSAGES.not_encrypted(name) });
  }

  /** The meeting was left: the worker ends, and the next join starts another. */
  close(): void {
    this.worker?.terminate();
    this.worker = null;
    this.salt = null;
    this.forget();
  }

  // --- inside ----------------------------------------------------------------------------------------

  private async deriveKey(): Promise<void> {
    const { passphrase, salt } = this;
    if (salt === null) return;
    const bytes = await baseKeyOf(passphrase, salt);
    if (passphrase !== this.passphrase) return;
    this.post({ type: "key", base: await importBaseKey(bytes) });
  }

  private pipe(end: RTCRtpSender | RTCRtpReceiver, options: PipeOptions): void {
    if (this.handled.has(end)) return;
    this.handled.add(end);
    if (!Encryption.needsLegacyStreams) {
      end.transform = new RTCRtpScriptTransform(this.started(), options);
      return;
    }
    const { readable, writable } = (end as unknown as LegacyStreams).createEncodedStreams();
    this.post({ type: "pipe", options, readable, writable }, [readable, writable]);
  }

  private post(message: ToWorker, transfer: Transferable[] = []): void {
    this.started().postMessage(message, transfer);
  }

  private started(): Worker {
    if (this.worker === null) {
      this.worker = (this.options.createWorker ?? defaultWorker)();
      this.worker.onmessage = ({ data }: MessageEvent<FromWorker>) => this.handleWorker(data);
    }
    return this.worker;
  }

  private handleWorker(message: FromWorker): void {
    if (message.type === "failed" && message.side === "sender") {
      const { reason } = message;
      this.emit("failure", { reason, peerId: null, publicationId: null, message: MESSAGES[reason]("this browser") });
      return;
    }
    const publication = this.targets.publicationOf(message.id);
    if (publication === null) return;
    const { publicationId, peerId, name } = publication;
    if (message.type === "recovered") {
      // Frames that were under way may be opened while the rest is still paused.
      if (this.paused.has(publicationId)) this.targets.setPaused(publicationId, false);
      this.forget(publicationId);
      this.emit("recovered", { peerId, publicationId });
      return;
    }
    const known = this.paused.get(publicationId);
    this.pause(publicationId, known === undefined ? LOOK_AGAIN_MS : Math.min(2 * known.wait, LOOK_AGAIN_AT_MOST_MS));
    if (known !== undefined) return;
    this.emit("failure", { reason: message.reason, peerId, publicationId, message: MESSAGES[message.reason](name) });
  }

  /** Nobody sends it for so many milliseconds. Then its frames say whether they can be opened now. */
  private pause(publicationId: string, wait: number): void {
    this.forget(publicationId);
    this.targets.setPaused(publicationId, true);
    const timer = this.clock.setTimeout(() => this.targets.setPaused(publicationId, false), wait);
    this.paused.set(publicationId, { timer, wait });
  }

  private forget(...publicationIds: string[]): void {
    for (const id of publicationIds.length > 0 ? publicationIds : [...this.paused.keys()]) {
      const paused = this.paused.get(id);
      if (paused !== undefined) this.clock.clearTimeout(paused.timer);
      this.paused.delete(id);
    }
  }
}

export async function baseKeyOf(passphrase: string, meetingId: string): Promise<ArrayBuffer> {
  const text = new TextEncoder();
  const secret = await crypto.subtle.importKey("raw", text.encode(passphrase.normalize("NFC")), "PBKDF2", false, [
    "deriveBits",
  ]);
  const salt = text.encode(`rostrum end-to-end ${meetingId}`);
  const algorithm = { name: "PBKDF2", hash: "SHA-256", salt, iterations: PBKDF2_ITERATIONS };
  return crypto.subtle.deriveBits(algorithm, secret, 256);
}

function defaultWorker(): Worker {
  return new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
}
