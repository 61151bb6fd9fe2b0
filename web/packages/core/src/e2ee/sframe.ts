/**
 * SFrame (RFC 9605), cipher suite AES_128_GCM_SHA256_128: one media frame encrypted, authenticated and numbered.
 *
 *     config byte | KID | CTR | ciphertext | tag
 *     config: X KKK Y CCC   X, Y: the number stands in the KKK+1, CCC+1 bytes that follow; else in KKK, CCC itself
 *
 * The key and salt of a KID are derived from the base key (section 4.4.2), so that a receiver who knows the base
 * key needs to be told nothing about a sender. A pair of KID and CTR must never be used twice.
 */

const SUITE = 0x0004;
const TAG_BITS = 128;
const NONCE_BYTES = 12;
const MOST_KEYS = 256;

export interface Header {
  kid: bigint;
  ctr: bigint;
  length: number;
}

/** The base key can be derived from, and not be read. */
export function importBaseKey(bytes: BufferSource): Promise<CryptoKey> {
  return crypto.subtle.importKey("raw", bytes, "HKDF", false, ["deriveKey", "deriveBits"]);
}

export function encodeHeader(kid: bigint, ctr: bigint): Uint8Array<ArrayBuffer> {
  const [k, kidBytes] = field(kid);
  const [c, ctrBytes] = field(ctr);
  return new Uint8Array([(k << 4) | c, ...kidBytes, ...ctrBytes]);
}

/** Null where the data is shorter than its header says. */
export function decodeHeader(data: Uint8Array): Header | null {
  if (data.length === 0) return null;
  const config = data[0]!;
  const kidLength = config & 0x80 ? ((config >> 4) & 7) + 1 : 0;
  const ctrLength = config & 0x08 ? (config & 7) + 1 : 0;
  const length = 1 + kidLength + ctrLength;
  if (data.length < length) return null;
  const kid = kidLength === 0 ? BigInt((config >> 4) & 7) : toNumber(data.subarray(1, 1 + kidLength));
  const ctr = ctrLength === 0 ? BigInt(config & 7) : toNumber(data.subarray(1 + kidLength, length));
  return { kid, ctr, length };
}

interface DerivedKey {
  key: CryptoKey;
  salt: Uint8Array;
}

/** The keys of one base key, by KID. Those asked for last are kept. */
export class Keys {
  private readonly derived = new Map<bigint, Promise<DerivedKey>>();

  constructor(private readonly base: CryptoKey) {}

  /** `metadata` is authenticated and not sent. */
  async seal(
    kid: bigint,
    ctr: bigint,
    plaintext: BufferSource,
    metadata: Uint8Array,
  ): Promise<Uint8Array<ArrayBuffer>> {
    const header = encodeHeader(kid, ctr);
    const { key, salt } = await this.of(kid);
    const sealed = await crypto.subtle.encrypt(parameters(salt, ctr, header, metadata), key, plaintext);
    return concatenated(header, new Uint8Array(sealed));
  }

  /** Rejects what was not sealed under this base key, with this metadata. */
  async open(data: Uint8Array<ArrayBuffer>, metadata: Uint8Array): Promise<{ header: Header; plaintext: ArrayBuffer }> {
    const header = decodeHeader(data);
    if (header === null) throw new Error("a frame is shorter than its SFrame header");
    const { key, salt } = await this.of(header.kid);
    const head = data.subarray(0, header.length);
    const algorithm = parameters(salt, header.ctr, head, metadata);
    return { header, plaintext: await crypto.subtle.decrypt(algorithm, key, data.subarray(header.length)) };
  }

  private of(kid: bigint): Promise<DerivedKey> {
    const known = this.derived.get(kid) ?? this.derive(kid);
    this.derived.delete(kid);
    this.derived.set(kid, known);
    if (this.derived.size > MOST_KEYS) this.derived.delete(this.derived.keys().next().value!);
    return known;
  }

  private async derive(kid: bigint): Promise<DerivedKey> {
    const hkdf = (label: string) => ({
      name: "HKDF",
      hash: "SHA-256",
      salt: new Uint8Array(),
      info: concatenated(new TextEncoder().encode(label), bigEndian(kid, 8), bigEndian(BigInt(SUITE), 2)),
    });
    const aes = { name: "AES-GCM", length: 128 };
    const [key, salt] = await Promise.all([
      crypto.subtle.deriveKey(hkdf("SFrame 1.0 Secret key "), this.base, aes, false, ["encrypt", "decrypt"]),
      crypto.subtle.deriveBits(hkdf("SFrame 1.0 Secret salt "), this.base, 8 * NONCE_BYTES),
    ]);
    return { key, salt: new Uint8Array(salt) };
  }
}

function parameters(salt: Uint8Array, ctr: bigint, header: Uint8Array, metadata: Uint8Array): AesGcmParams {
  const counter = bigEndian(ctr, NONCE_BYTES);
  return {
    name: "AES-GCM",
    iv: salt.map((byte, index) => byte ^ counter[index]!),
    additionalData: concatenated(header, metadata),
    tagLength: TAG_BITS,
  };
}

/** A number as the three bits of the config byte (with the flag before them) and the bytes that follow it. */
function field(value: bigint): [bits: number, bytes: Uint8Array] {
  if (value < 8n) return [Number(value), new Uint8Array()];
  const length = Math.ceil(value.toString(16).length / 2);
  return [0x08 | (length - 1), bigEndian(value, length)];
}

function bigEndian(value: bigint, length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let index = length - 1, rest = value; index >= 0; index--, rest >>= 8n) bytes[index] = Number(rest & 0xffn);
  return bytes;
}

function toNumber(bytes: Uint8Array): bigint {
  return bytes.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);
}

export function concatenated(first: Uint8Array, ...others: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(others.reduce((length, part) => length + part.length, first.length));
  all.set(first);
  let position = first.length;
  for (const part of others) {
    all.set(part, position);
    position += part.length;
  }
  return all;
}
