/** A look into the participant's token. Nothing is verified here: that is the server's part. */

import { RostrumError } from "./errors";

export function tokenClaims(token: string): Record<string, unknown> {
  const payload = token.split(".")[1];
  try {
    const bytes = Uint8Array.from(atob(toBase64(payload ?? "")), (char) => char.charCodeAt(0));
    const claims: unknown = JSON.parse(new TextDecoder().decode(bytes));
    if (typeof claims === "object" && claims !== null) return claims as Record<string, unknown>;
  } catch {
    // Falls through: whatever is wrong with it, it is not a token.
  }
  throw new RostrumError("InvalidToken", "This link does not carry a valid token. Ask for a new one.", 4);
}

export function nameFromToken(token: string): string {
  const name = tokenClaims(token)["name"];
  return typeof name === "string" ? name : "";
}

function toBase64(base64url: string): string {
  return base64url.replace(/-/g, "+").replace(/_/g, "/");
}
