/** What is known of the invitation before the join, and what the setup screen makes of it. */

import { type Invitation, mayUseAtOnce, RostrumError } from "@rostrum/core";

export type Invited =
  | { kind: "good"; invitation: Invitation }
  /** The server would not let one in now. */
  | { kind: "refused"; problem: string }
  /** It could not be asked; one may try to join all the same. */
  | { kind: "unknown" };

export interface Devices {
  audio: boolean;
  video: boolean;
}

export async function lookUp(asking: Promise<Invitation>): Promise<Invited> {
  try {
    return { kind: "good", invitation: await asking };
  } catch (error) {
    const refused = error instanceof RostrumError && error.name !== "ConnectionFailed";
    return refused ? { kind: "refused", problem: joinProblem(error) } : { kind: "unknown" };
  }
}

/** What to turn on before the join: what may be sent from its first moment; everything where that is not known. */
export function devicesOf(invited: Invited): Devices {
  switch (invited.kind) {
    case "good": {
      const { invitation } = invited;
      return { audio: mayUseAtOnce(invitation, "audio"), video: mayUseAtOnce(invitation, "video") };
    }
    case "refused":
      return { audio: false, video: false };
    case "unknown":
      return { audio: true, video: true };
  }
}

/** Names that are said of those who are in; the others are counted. */
const NAMED = 3;

/** Who is in: by name where names are known, else how many. */
export function crowd({ liveParticipants, present }: Pick<Invitation, "liveParticipants" | "present">): string {
  if (liveParticipants === 0) return "Nobody is in the meeting yet";
  const names = present.slice(0, liveParticipants > NAMED ? NAMED - 1 : NAMED).map(({ name }) => name);
  const others = liveParticipants - names.length;
  if (names.length === 0) return others === 1 ? "1 person is in the meeting" : `${others} people are in the meeting`;
  const all = others > 0 ? [...names, others === 1 ? "1 other" : `${others} others`] : names;
  const said = all.length === 1 ? all[0] : `${all.slice(0, -1).join(", ")} and ${all.at(-1)}`;
  return `${said} ${all.length === 1 ? "is" : "are"} in the meeting`;
}

/** For whoever was invited: the server's own words speak to whoever runs the meeting. */
export function joinProblem(error: unknown): string {
  if (error instanceof RostrumError) {
    if (error.name === "InvalidToken") {
      return "The token in your link is no longer valid: it has expired or was withdrawn. Ask the host for a new invitation.";
    }
    if (error.name === "MeetingInactive") {
      return "This meeting is closed, so nobody can join it now. Ask the host to open it, then try again.";
    }
  }
  return error instanceof Error ? error.message : String(error);
}

/** After how many seconds, one at least, the server may take somebody that it had no room for; null otherwise. */
export function retryAfter(error: unknown): number | null {
  if (!(error instanceof RostrumError) || error.retryAfter === null) return null;
  return Math.max(1, Math.ceil(error.retryAfter));
}
