/**
 * A data message as it travels: the length of its header (2 bytes, big-endian), the header as JSON, the payload.
 *
 *     to the server    {"to": [...], "topic": "..."}     without "to": to everybody else
 *     from the server  {"from": "...", "topic": "..."}
 */

import { RostrumError } from "../errors";

export const MAX_PAYLOAD = 64 * 1024;
export const MAX_HEADER = 4 * 1024;

export interface Envelope {
  from: string;
  topic: string;
  payload: Uint8Array<ArrayBuffer>;
}

export function encodeMessage(payload: Uint8Array, topic: string, to?: readonly string[]): Uint8Array<ArrayBuffer> {
  if (payload.length > MAX_PAYLOAD) {
    const sizes = `${payload.length} bytes, at most ${MAX_PAYLOAD}`;
    throw new RostrumError("MessageTooLarge", `A data message is too large: ${sizes}. Send it in parts.`);
  }
  const header = new TextEncoder().encode(JSON.stringify(to === undefined ? { topic } : { to, topic }));
  if (header.length > MAX_HEADER) {
    throw new RostrumError("MessageTooLarge", "The topic and the receivers of a data message are too long.");
  }
  const message = new Uint8Array(2 + header.length + payload.length);
  message[0] = header.length >> 8;
  message[1] = header.length & 0xff;
  message.set(header, 2);
  message.set(payload, 2 + header.length);
  return message;
}

/** Null for what is no message of the protocol. */
export function decodeMessage(data: ArrayBuffer): Envelope | null {
  if (data.byteLength < 2) return null;
  const bytes = new Uint8Array(data);
  const end = 2 + (bytes[0]! << 8) + bytes[1]!;
  if (end > bytes.length) return null;
  let header: { from?: unknown; topic?: unknown };
  try {
    header = JSON.parse(new TextDecoder().decode(bytes.subarray(2, end))) as typeof header;
  } catch {
    return null;
  }
  const { from, topic } = header;
  if (typeof from !== "string" || typeof topic !== "string") return null;
  return { from, topic, payload: bytes.slice(end) };
}
