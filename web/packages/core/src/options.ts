/** What a client is started with. */

import type { Join } from "@rostrum/protocol";
import type { EncryptionOptions } from "./e2ee/encryption";
import { hardwareOf, type Machine } from "./hardware";
import type { Invitation } from "./invitation";
import type { VideoCodec } from "./media/encodings";

export const SDK_NAME = "rostrum-web/0.1.0";

export interface ServerOptions {
  /** The participant's token, a JWT. */
  authToken: string;
  /** The server, for example "https://meet.example.org"; the page's own origin by default. */
  baseURI?: string;
}

export interface ClientOptions extends ServerOptions {
  /** What `Client.invitation` found: the name, the picture and the title are known before the join then. */
  invitation?: Invitation | undefined;
  /** Any text of up to 4096 characters, by which the organization finds this attendance afterwards. */
  context?: string;
  /**
   * Tell the server which microphones, cameras and speakers there are and which are used, by their names, for the report
   * about this attendance that the organization reads; on by default.
   */
  reportDevices?: boolean;
  /** What is turned on from the start; both are on by default. */
  defaults?: { audio?: boolean; video?: boolean };
  /** Encrypt media end to end. Redundant audio is off then, and video is sent as VP8. */
  e2ee?: EncryptionOptions | undefined;
  /** Open the data channels at the join; otherwise `meeting.data.open()` or the first `send` does. */
  data?: boolean;
  /** Receive every publication as it appears; on by default. */
  autoSubscribe?: boolean;
  /** Receive nothing before the first `participants.setView`: for pages that know what they show. */
  awaitView?: boolean;
  /**
   * `disableRed`: send and receive audio without redundancy (RFC 2198). For who transforms payloads (end-to-end
   * encryption): the server takes redundancy apart and makes it, so it has to read where payloads begin.
   *
   * `videoCodec` of the camera, VP8 by default. VP9 and AV1 are sent with layers within one encoding instead of
   * simulcast, where the browser can; `disableSimulcast` leaves out both. What the browser cannot send is sent as what
   * it can.
   *
   * `disablePlayoutDelay`: show what is received as soon as it is there. By default, where packets are lost, it waits
   * up to half a second for them to come again.
   */
  overrides?: {
    disableSimulcast?: boolean;
    forceRelay?: boolean;
    disableRed?: boolean;
    disablePlayoutDelay?: boolean;
    videoCodec?: VideoCodec;
  };
}

export function socketUrl(baseURI: string | undefined): string {
  const url = apiUrl("/v2/ws", baseURI);
  url.protocol = url.protocol === "https:" || url.protocol === "wss:" ? "wss:" : "ws:";
  return url.toString();
}

export function apiUrl(path: string, baseURI: string | undefined): URL {
  // A server may be below a path of its origin, which a path from the root would take away.
  return new URL(`${(baseURI ?? globalThis.location?.origin ?? "").replace(/\/+$/, "")}${path}`);
}

/** What a join says besides its type. */
export function joinDetails(
  options: ClientOptions,
  token: string,
  name: string | null,
  machine: Machine,
): Omit<Join, "id" | "type"> {
  const { context } = options;
  const hardware = hardwareOf(machine);
  return {
    token,
    name,
    device: detectDevice(),
    sdk: SDK_NAME,
    ...(context === undefined ? {} : { context }),
    ...(hardware === null ? {} : { hardware }),
  };
}

export function detectDevice(): "desktop" | "mobile" {
  const agent = globalThis.navigator?.userAgent ?? "";
  return /Android|iPhone|iPad|Mobile/i.test(agent) ? "mobile" : "desktop";
}
