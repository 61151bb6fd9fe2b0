/** What a client is started with. */

export const SDK_NAME = "rostrum-web/0.1.0";

export interface ClientOptions {
  /** The participant's token, a JWT. */
  authToken: string;
  /** The server, for example "https://meet.example.org"; the page's own origin by default. */
  baseURI?: string;
  /** What is turned on from the start; both are on by default. */
  defaults?: { audio?: boolean; video?: boolean };
  /** Receive every publication as it appears; on by default. */
  autoSubscribe?: boolean;
  overrides?: { disableSimulcast?: boolean; forceRelay?: boolean };
}

export function socketUrl(baseURI: string | undefined): string {
  const url = new URL("/v2/ws", baseURI ?? globalThis.location?.origin);
  url.protocol = url.protocol === "https:" || url.protocol === "wss:" ? "wss:" : "ws:";
  return url.toString();
}

export function detectDevice(): "desktop" | "mobile" {
  const agent = globalThis.navigator?.userAgent ?? "";
  return /Android|iPhone|iPad|Mobile/i.test(agent) ? "mobile" : "desktop";
}
