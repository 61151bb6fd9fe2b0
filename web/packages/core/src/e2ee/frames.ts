/**
 * Media frames sealed and opened: which bytes stay clear, which numbers are used, what is refused.
 *
 * An encoded frame becomes its clear prefix followed by an SFrame of the rest; the prefix is authenticated with it.
 * Of VP8 the prefix is what packetizers, the server and jitter buffers read: of a key frame the ten bytes of its
 * header (RFC 6386 section 9.1: the key frame bit, and the size), of any other frame the first byte. Opus and VP9
 * have none: what others read of VP9 stands in the RTP payload descriptor, which is not part of the frame. H.264,
 * H.265 and AV1 cannot be sealed as a whole, since packetizers cut them where their own structure says so.
 */

import { concatenated, type Keys } from "./sframe";

export interface MediaFrame {
  data: ArrayBuffer;
  /** Of video: "key", "delta" or "empty". */
  type?: string;
}

const REPLAY_WINDOW = 1024;

/** How many bytes of a frame stay clear; null for a codec that cannot be sealed. */
export function clearBytes(mimeType: string | undefined, data: Uint8Array): number | null {
  switch (mimeType?.toLowerCase()) {
    case "video/vp8":
      return Math.min(data.length, data.length > 0 && (data[0]! & 1) === 0 ? 10 : 1);
    case "video/vp9":
    case "audio/opus":
      return 0;
    default:
      return null;
  }
}

/** Numbers that no other sender uses: a KID by chance of 64 bits, and frames counted under it. */
export class Numbers {
  readonly kid: bigint;
  private next = 0n;

  constructor(random: BigUint64Array = crypto.getRandomValues(new BigUint64Array(1))) {
    this.kid = random[0]!;
  }

  take(): bigint {
    return this.next++;
  }
}

export async function sealFrame(
  keys: Keys,
  numbers: Numbers,
  data: ArrayBuffer,
  clear: number,
): Promise<ArrayBuffer> {
  const prefix = new Uint8Array(data, 0, clear);
  const sealed = await keys.seal(numbers.kid, numbers.take(), new Uint8Array(data, clear), prefix);
  return concatenated(prefix, sealed).buffer;
}

/** Null for what was opened before. Rejects what is not sealed under these keys. */
export async function openFrame(
  keys: Keys,
  seen: Replays,
  data: ArrayBuffer,
  clear: number,
): Promise<ArrayBuffer | null> {
  const prefix = new Uint8Array(data, 0, clear);
  const { header, plaintext } = await keys.open(new Uint8Array(data, clear), prefix);
  if (!seen.accept(header.kid, header.ctr)) return null;
  return concatenated(prefix, new Uint8Array(plaintext)).buffer;
}

/** Which frames of the latest sender were opened already (RFC 9605 section 9.3): a window below the highest. */
export class Replays {
  private kid: bigint | null = null;
  private highest = -1;
  private readonly seen = new Set<number>();

  accept(kid: bigint, ctr: bigint): boolean {
    const number = Number(ctr);
    if (kid !== this.kid) {
      this.kid = kid;
      this.highest = -1;
      this.seen.clear();
    }
    if (number <= this.highest - REPLAY_WINDOW || this.seen.has(number)) return false;
    this.seen.add(number);
    if (number > this.highest) {
      this.highest = number;
      for (const old of this.seen) if (old <= number - REPLAY_WINDOW) this.seen.delete(old);
    }
    return true;
  }
}
