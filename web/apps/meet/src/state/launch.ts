/**
 * What the address of the page says: `/meet/#token=<jwt>`, with `&relay=1` that media goes over TURN only, with
 * `&e2ee=<passphrase>` that it is encrypted end to end, with `&codec=VP9` (or VP8, H264, H265, AV1) what the camera
 * is sent as.
 */

import { tokenClaims, type VideoCodec } from "@rostrum/core";

const CODECS: readonly VideoCodec[] = ["VP8", "H264", "H265", "VP9", "AV1"];

export type Launch =
  | { kind: "ready"; token: string }
  | { kind: "problem"; problem: "missing" | "invalid" | "expired" };

/** For networks that let nothing else through, and to see whether the TURN server works. */
export function wantsRelay(hash: string): boolean {
  return new URLSearchParams(hash.replace(/^#/, "")).get("relay") === "1";
}

/** `&e2ee=<passphrase>`: media is encrypted end to end. A fragment is not sent to the server. */
export function passphraseOf(hash: string): string | null {
  return new URLSearchParams(hash.replace(/^#/, "")).get("e2ee") || null;
}

/** `&codec=VP9`: what the camera is sent as; undefined where nothing that we know is asked for. */
export function videoCodecOf(hash: string): VideoCodec | undefined {
  const asked = new URLSearchParams(hash.replace(/^#/, "")).get("codec")?.toUpperCase();
  return CODECS.find((codec) => codec === asked);
}

export function parseLaunch(hash: string, now: Date): Launch {
  const token = new URLSearchParams(hash.replace(/^#/, "")).get("token");
  if (token === null || token === "") return { kind: "problem", problem: "missing" };
  let claims: Record<string, unknown>;
  try {
    claims = tokenClaims(token);
  } catch {
    return { kind: "problem", problem: "invalid" };
  }
  const expires = claims["exp"];
  if (typeof expires === "number" && expires * 1000 <= now.getTime()) {
    return { kind: "problem", problem: "expired" };
  }
  return { kind: "ready", token };
}
