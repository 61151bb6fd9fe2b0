import { describe, expect, it } from "vitest";
import { clearBytes, Numbers, openFrame, Replays, sealFrame } from "../src/e2ee/frames";
import { FAILURES_TO_TELL, Opening } from "../src/e2ee/opening";
import { decodeHeader, encodeHeader, importBaseKey, Keys } from "../src/e2ee/sframe";

const bytes = (hex: string) => new Uint8Array((hex.match(/../g) ?? []).map((pair) => parseInt(pair, 16)));
const hex = (data: Uint8Array) => [...data].map((byte) => byte.toString(16).padStart(2, "0")).join("");

// RFC 9605 appendix C.3, cipher suite 0x0004.
const VECTOR = {
  baseKey: "000102030405060708090a0b0c0d0e0f",
  kid: 0x123n,
  ctr: 0x4567n,
  metadata: "4945544620534672616d65205747",
  plaintext: "64726166742d696574662d736672616d652d656e63",
  sealed: "9901234567b7412c2513a1b66dbb48841bbaf17f598751176ad847681a69c6d0b091c07018ce4adb34eb",
};

async function keysOf(baseKey: string): Promise<Keys> {
  return new Keys(await importBaseKey(bytes(baseKey)));
}

describe("SFrame", () => {
  it("is what the RFC's test vector says, both ways", async () => {
    const keys = await keysOf(VECTOR.baseKey);
    const metadata = bytes(VECTOR.metadata);
    const sealed = await keys.seal(VECTOR.kid, VECTOR.ctr, bytes(VECTOR.plaintext), metadata);
    expect(hex(sealed)).toBe(VECTOR.sealed);
    const { header, plaintext } = await keys.open(bytes(VECTOR.sealed), metadata);
    expect(header).toEqual({ kid: VECTOR.kid, ctr: VECTOR.ctr, length: 5 });
    expect(hex(new Uint8Array(plaintext))).toBe(VECTOR.plaintext);
  });

  // RFC 9605 appendix C.1.
  it.each([
    [0n, 0n, "00"],
    [7n, 7n, "77"],
    [0n, 8n, "0808"],
    [8n, 255n, "8808ff"],
    [255n, 65536n, "8aff010000"],
    [2n ** 64n - 1n, 2n ** 64n - 1n, "ffffffffffffffffffffffffffffffffff"],
  ])("numbers %i and %i stand in the header as %s", (kid, ctr, encoded) => {
    expect(hex(encodeHeader(kid, ctr))).toBe(encoded);
    expect(decodeHeader(bytes(encoded))).toEqual({ kid, ctr, length: encoded.length / 2 });
  });

  it("has no header in what is too short for one", () => {
    for (const cut of ["", "99", "990123", "f0ff"]) expect(decodeHeader(bytes(cut))).toBeNull();
  });

  it.each([
    ["another base key", "ff0102030405060708090a0b0c0d0e0f", VECTOR.metadata, VECTOR.sealed],
    ["other metadata", VECTOR.baseKey, "00", VECTOR.sealed],
    ["another number", VECTOR.baseKey, VECTOR.metadata, VECTOR.sealed.replace("9901234567", "9901234568")],
    ["a changed byte", VECTOR.baseKey, VECTOR.metadata, VECTOR.sealed.slice(0, -2) + "00"],
  ])("opens nothing under %s", async (_, baseKey, metadata, sealed) => {
    const keys = await keysOf(baseKey);
    await expect(keys.open(bytes(sealed), bytes(metadata))).rejects.toThrow();
  });
});

describe("frames", () => {
  const KEY_FRAME = bytes("10020" + "09d012a8002680" + "00ffee".padEnd(40, "ab"));

  it("keep what the server reads of VP8 in clear, and nothing else", () => {
    expect(clearBytes("video/VP8", bytes("10".padEnd(60, "0")))).toBe(10);
    expect(clearBytes("video/VP8", bytes("11".padEnd(60, "0")))).toBe(1);
    expect(clearBytes("video/VP8", new Uint8Array())).toBe(0);
    expect(clearBytes("video/VP9", bytes("82"))).toBe(0);
    expect(clearBytes("audio/opus", bytes("fc"))).toBe(0);
    for (const other of ["video/H264", "video/H265", "video/AV1", "audio/red", undefined]) {
      expect(clearBytes(other, bytes("00"))).toBeNull();
    }
  });

  it("come out as they went in, and look like noise in between", async () => {
    const keys = await keysOf(VECTOR.baseKey);
    const sealed = await sealFrame(keys, new Numbers(), KEY_FRAME.slice().buffer, 10);
    expect(hex(new Uint8Array(sealed, 0, 10))).toBe(hex(KEY_FRAME.subarray(0, 10)));
    expect(hex(new Uint8Array(sealed))).not.toContain(hex(KEY_FRAME.subarray(10, 18)));
    const opened = (await openFrame(keys, new Replays(), sealed, 10))!;
    expect(hex(new Uint8Array(opened))).toBe(hex(KEY_FRAME));
  });

  it("with a forged clear byte are refused", async () => {
    const keys = await keysOf(VECTOR.baseKey);
    const sealed = await sealFrame(keys, new Numbers(), KEY_FRAME.slice().buffer, 10);
    new Uint8Array(sealed)[5]! ^= 1;
    await expect(openFrame(keys, new Replays(), sealed, 10)).rejects.toThrow();
  });

  it("are opened once", async () => {
    const keys = await keysOf(VECTOR.baseKey);
    const numbers = new Numbers();
    const seen = new Replays();
    const sealed = await sealFrame(keys, numbers, new Uint8Array([1, 2, 3]).buffer, 0);
    expect(await openFrame(keys, seen, sealed, 0)).not.toBeNull();
    expect(await openFrame(keys, seen, sealed, 0)).toBeNull();
  });

  it("never share a number", () => {
    const numbers = new Numbers();
    const taken = new Set(Array.from({ length: 100 }, () => numbers.take()));
    expect(taken.size).toBe(100);
    expect(new Numbers().kid).not.toBe(numbers.kid);
  });

  it("out of order are no replays, very old ones are taken for one", () => {
    const seen = new Replays();
    expect([5, 3, 4, 3, 5000, 3977, 3976].map((ctr) => seen.accept(1n, BigInt(ctr)))).toEqual([
      true, true, true, false, true, true, false,
    ]);
    expect(seen.accept(2n, 0n)).toBe(true);
  });
});

describe("opening", () => {
  async function world() {
    const keys = await keysOf(VECTOR.baseKey);
    const numbers = new Numbers();
    const sealed = () => sealFrame(keys, numbers, new Uint8Array([1, 2, 3]).buffer, 0);
    return { keys, sealed, opening: new Opening() };
  }
  const NOISE = new Uint8Array(40).buffer;

  it("shows no frame twice, and takes one that comes again for no failure", async () => {
    const { keys, sealed, opening } = await world();
    const frame = await sealed();
    expect((await opening.open(keys, frame, 0)).data).not.toBeNull();
    for (let time = 0; time < 3 * FAILURES_TO_TELL; time++) {
      expect(await opening.open(keys, frame, 0)).toEqual({ data: null, news: null });
    }
  });

  it("tells each time that so many in a row failed, and once that they do no more", async () => {
    const { keys, sealed, opening } = await world();
    const news = [];
    for (let time = 0; time < 2 * FAILURES_TO_TELL; time++) news.push((await opening.open(keys, NOISE, 0)).news);
    expect(news.map((each, index) => [index, each]).filter(([, each]) => each !== null)).toEqual([
      [FAILURES_TO_TELL - 1, "failed"],
      [2 * FAILURES_TO_TELL - 1, "failed"],
    ]);
    expect((await opening.open(keys, await sealed(), 0)).news).toBe("recovered");
    expect((await opening.open(keys, await sealed(), 0)).news).toBeNull();
  });

  it("says nothing of a single one that fails", async () => {
    const { keys, sealed, opening } = await world();
    for (let time = 0; time < 2 * FAILURES_TO_TELL; time++) {
      expect((await opening.open(keys, NOISE, 0)).news).toBeNull();
      expect((await opening.open(keys, await sealed(), 0)).news).toBeNull();
    }
  });

  it("fails on a codec that cannot be sealed", async () => {
    const { keys, sealed, opening } = await world();
    const frame = await sealed();
    for (let time = 1; time < FAILURES_TO_TELL; time++) await opening.open(keys, frame, null);
    expect(await opening.open(keys, frame, null)).toEqual({ data: null, news: "failed" });
  });
});
