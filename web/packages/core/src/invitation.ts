/** What a token invites to, asked before the join: the meeting, the person, and what they may do. */

import { camelize } from "./camel";
import type { Dependencies } from "./dependencies";
import { ConnectionFailedError, RostrumError } from "./errors";
import { apiUrl, type ServerOptions } from "./options";
import type { ProduceKind, ProducePermission } from "./preset";

export interface Invitation {
  meeting: { id: string; title: string | null; viewType: string };
  participant: { id: string; name: string; picture: string | null; presetName: string };
  may: Record<ProduceKind, ProducePermission> & {
    editDisplayName: boolean;
    stage: { enabled: boolean; access: ProducePermission };
  };
  /** How many are in the meeting now. */
  liveParticipants: number;
  /** The first of them, where one may see who takes part and would not have to wait. */
  present: { name: string; picture: string | null }[];
  /** Whether somebody has to let one in, as things are now. */
  waits: boolean;
}

/** A page that waits longer than this is better off without. */
const PATIENCE_MS = 3_000;

/**
 * Rejects with the server's reason when a join would be refused ("InvalidToken", "MeetingInactive", ...), and
 * with ConnectionFailedError when nobody could be asked: whether one may join is not known then.
 */
export async function readInvitation(
  options: ServerOptions,
  { fetch, clock }: Pick<Dependencies, "fetch" | "clock">,
): Promise<Invitation> {
  const patience = new AbortController();
  const timer = clock.setTimeout(() => patience.abort(), PATIENCE_MS);
  let answer: unknown;
  try {
    const response = await fetch(apiUrl("/v2/invitation", options.baseURI).href, {
      headers: { Authorization: `Bearer ${options.authToken}` },
      credentials: "omit",
      signal: patience.signal,
    });
    answer = await response.json();
  } catch {
    throw new ConnectionFailedError();
  } finally {
    clock.clearTimeout(timer);
  }
  return parseAnswer(answer);
}

/** Whether a camera, microphone or screen may be used from the moment of the join. */
export function mayUseAtOnce({ may }: Invitation, kind: ProduceKind): boolean {
  return may.stage.enabled
    ? may.stage.access === "ALLOWED" && may[kind] !== "NOT_ALLOWED"
    : may[kind] === "ALLOWED";
}

interface Answer {
  success?: boolean;
  data?: object;
  error?: { code?: number; name?: string; message?: string };
}

/** A fault of the server, or of something between, says nothing about the invitation. */
function parseAnswer(answer: unknown): Invitation {
  const { success, data, error } = (answer ?? {}) as Answer;
  if (success === true && data) return camelize(data) as Invitation;
  if (error?.name && error.code !== undefined && error.code >= 400 && error.code < 500 && error.code !== 429) {
    throw new RostrumError(error.name, error.message ?? error.name, error.code);
  }
  throw new ConnectionFailedError();
}
