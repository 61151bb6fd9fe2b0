/** The participants in the session by peer id; it repeats their events with the participant in front. */

import { Emitter } from "./emitter";
import type { Participant, ParticipantEvents } from "./participant";

type Repeated = {
  [Name in keyof ParticipantEvents]: [participant: Participant, ...rest: ParticipantEvents[Name]];
};

export type LeaveReason = "left" | "kicked" | "timeout" | "ended" | "replaced";

export interface ParticipantMapEvents extends Repeated {
  participantJoined: [participant: Participant];
  participantLeft: [participant: Participant, reason: LeaveReason];
  /** After anything at all changed. */
  participantsUpdate: [participants: Participant[]];
  participantsCleared: [];
}

const REPEATED: (keyof ParticipantEvents)[] = [
  "audioUpdate",
  "videoUpdate",
  "screenShareUpdate",
  "stageStatusUpdate",
  "connectionUpdate",
  "layerUpdate",
  "pausedUpdate",
  "qualityUpdate",
  "encryptionUpdate",
  "profileUpdate",
];

export class ParticipantMap extends Emitter<ParticipantMapEvents> {
  private readonly byId = new Map<string, Participant>();

  get size(): number {
    return this.byId.size;
  }

  get(id: string): Participant | undefined {
    return this.byId.get(id);
  }

  has(id: string): boolean {
    return this.byId.has(id);
  }

  toArray(): Participant[] {
    return [...this.byId.values()];
  }

  [Symbol.iterator](): IterableIterator<Participant> {
    return this.byId.values();
  }

  // --- what the meeting feeds in ---------------------------------------------------------------------

  handleJoined(participant: Participant): void {
    this.add(participant);
    this.emit("participantJoined", participant);
    this.emit("participantsUpdate", this.toArray());
  }

  handleLeft(id: string, reason: LeaveReason): void {
    const participant = this.byId.get(id);
    if (participant === undefined) return;
    this.byId.delete(id);
    this.emit("participantLeft", participant, reason);
    this.emit("participantsUpdate", this.toArray());
  }

  /** The whole roster at once, as a join gives it. */
  handleRoster(participants: Participant[]): void {
    this.byId.clear();
    for (const participant of participants) this.add(participant);
    this.emit("participantsUpdate", this.toArray());
  }

  handleCleared(): void {
    this.byId.clear();
    this.emit("participantsCleared");
    this.emit("participantsUpdate", []);
  }

  private add(participant: Participant): void {
    this.byId.set(participant.id, participant);
    for (const name of REPEATED) {
      participant.on(name, (...args: unknown[]) => {
        if (this.byId.get(participant.id) !== participant) return;
        this.emit(name, ...([participant, ...args] as never));
        this.emit("participantsUpdate", this.toArray());
      });
    }
  }
}
