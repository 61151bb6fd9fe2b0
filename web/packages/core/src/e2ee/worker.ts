/**
 * The worker that frames pass through, in both APIs: as RTCRtpScriptTransform (standard) gives them, and as streams
 * that the page hands over (createEncodedStreams, older Chromium).
 *
 * Frames wait for the first key. What cannot be opened is dropped, never shown; the page is told when that begins
 * and when it ends.
 */

import { clearBytes, type MediaFrame, Numbers, sealFrame } from "./frames";
import { Opening } from "./opening";
import { Keys } from "./sframe";

export interface PipeOptions {
  side: "sender" | "receiver";
  /** By which the page knows whose frames these are. */
  id: string;
  /** For frames that do not name theirs. */
  mimeType: string;
}

export type ToWorker =
  | { type: "key"; base: CryptoKey }
  | { type: "pipe"; options: PipeOptions; readable: ReadableStream<Frame>; writable: WritableStream<Frame> };

export type FailureReason = "wrong_key" | "unsupported_codec";

export type FromWorker =
  | { type: "failed"; id: string; side: PipeOptions["side"]; reason: FailureReason }
  | { type: "recovered"; id: string };

export interface Frame extends MediaFrame {
  getMetadata(): { mimeType?: string };
}

interface Transformer {
  readable: ReadableStream<Frame>;
  writable: WritableStream<Frame>;
  options: PipeOptions;
  sendKeyFrameRequest?: () => Promise<void>;
}

interface WorkerScope {
  onmessage: ((event: MessageEvent<ToWorker>) => void) | null;
  onrtctransform: ((event: { transformer: Transformer }) => void) | null;
  postMessage(message: FromWorker): void;
}

const scope = self as unknown as WorkerScope;
let keys: Keys | null = null;
let numbers = new Numbers();
let announceKey: () => void;
let keyThere = new Promise<void>((resolve) => (announceKey = resolve));

scope.onmessage = ({ data }) => {
  if (data.type === "pipe") {
    pipe(data);
    return;
  }
  keys = new Keys(data.base);
  numbers = new Numbers();
  announceKey();
  keyThere = Promise.resolve();
};

scope.onrtctransform = ({ transformer }) => pipe(transformer);

function pipe(transformer: Transformer): void {
  const { readable, writable, options } = transformer;
  const transform = options.side === "sender" ? sealing(options) : opening(transformer);
  // The end of the sender or receiver ends its streams, one way or the other.
  readable
    .pipeThrough(new TransformStream({ transform }))
    .pipeTo(writable)
    .catch(() => undefined);
}

type Transform = (frame: Frame, controller: TransformStreamDefaultController<Frame>) => Promise<void>;

function sealing(options: PipeOptions): Transform {
  let told = false;
  return async (frame, controller) => {
    if (frame.data.byteLength === 0) return;
    await keyThere;
    const clear = clearOf(frame, options);
    if (clear === null) {
      if (!told) scope.postMessage({ type: "failed", ...options, reason: "unsupported_codec" });
      told = true;
      return;
    }
    frame.data = await sealFrame(keys!, numbers, frame.data, clear);
    controller.enqueue(frame);
  };
}

function opening(transformer: Transformer): Transform {
  const { options } = transformer;
  const frames = new Opening();
  return async (frame, controller) => {
    if (frame.data.byteLength === 0) return;
    await keyThere;
    const clear = clearOf(frame, options);
    const { data, news } = await frames.open(keys!, frame.data, clear);
    if (news === "failed") {
      const reason = clear === null ? "unsupported_codec" : "wrong_key";
      scope.postMessage({ type: "failed", ...options, reason });
    } else if (news === "recovered") {
      scope.postMessage({ type: "recovered", id: options.id });
      if (frame.type === "delta") void transformer.sendKeyFrameRequest?.().catch(() => undefined);
    }
    if (data === null) return;
    frame.data = data;
    controller.enqueue(frame);
  };
}

function clearOf(frame: Frame, options: PipeOptions): number | null {
  return clearBytes(frame.getMetadata().mimeType ?? options.mimeType, new Uint8Array(frame.data));
}
