/** `meeting.participants.waitlisted`: who waits to be admitted, for those who may admit; longest first. */

import type { PeerWaitingEnded, WaitingPeerInfo } from "@rostrum/protocol";
import { Emitter } from "./emitter";

export interface WaitlistedParticipant {
  /** The peer id: one per connection. */
  id: string;
  /** The participant id: the same for every connection of this person. */
  userId: string;
  customParticipantId: string | null;
  name: string;
  picture: string | null;
  /** Since when, as ISO 8601. */
  waitingSince: string;
}

export type WaitingEndReason = PeerWaitingEnded["reason"];

export interface WaitlistEvents {
  participantJoined: [participant: WaitlistedParticipant];
  participantLeft: [participant: WaitlistedParticipant, reason: WaitingEndReason];
  /** After anything at all changed. */
  participantsUpdate: [participants: WaitlistedParticipant[]];
  participantsCleared: [];
}

export class Waitlist extends Emitter<WaitlistEvents> {
  private readonly byId = new Map<string, WaitlistedParticipant>();

  get size(): number {
    return this.byId.size;
  }

  get(id: string): WaitlistedParticipant | undefined {
    return this.byId.get(id);
  }

  has(id: string): boolean {
    return this.byId.has(id);
  }

  toArray(): WaitlistedParticipant[] {
    return [...this.byId.values()];
  }

  [Symbol.iterator](): IterableIterator<WaitlistedParticipant> {
    return this.byId.values();
  }

  /** The peers meant by ids of peers or of participants. What is not known here is left to the server. */
  peersOf(ids: string[]): string[] {
    return ids.flatMap((id) => {
      const theirs = this.toArray().filter(({ userId }) => userId === id);
      return theirs.length > 0 && !this.byId.has(id) ? theirs.map((each) => each.id) : [id];
    });
  }

  // --- what the meeting feeds in ---------------------------------------------------------------------

  /** The whole list: of those that were not known each is new. */
  handleList(waiting: WaitingPeerInfo[]): void {
    const before = new Set(this.byId.keys());
    this.byId.clear();
    for (const info of waiting) this.byId.set(info.peer_id, participantOf(info));
    for (const participant of this.toArray()) {
      if (!before.has(participant.id)) this.emit("participantJoined", participant);
    }
    if (before.size > 0 && this.size === 0) this.emit("participantsCleared");
    if (before.size > 0 || this.size > 0) this.emit("participantsUpdate", this.toArray());
  }

  handleWaiting(info: WaitingPeerInfo): void {
    const participant = participantOf(info);
    const known = this.byId.has(participant.id);
    this.byId.set(participant.id, participant);
    if (!known) this.emit("participantJoined", participant);
    this.emit("participantsUpdate", this.toArray());
  }

  handleEnded(id: string, reason: WaitingEndReason): void {
    const participant = this.byId.get(id);
    if (participant === undefined) return;
    this.byId.delete(id);
    this.emit("participantLeft", participant, reason);
    this.emit("participantsUpdate", this.toArray());
  }
}

function participantOf(info: WaitingPeerInfo): WaitlistedParticipant {
  return {
    id: info.peer_id,
    userId: info.participant_id,
    customParticipantId: info.custom_participant_id,
    name: info.name,
    picture: info.picture,
    waitingSince: info.since,
  };
}
