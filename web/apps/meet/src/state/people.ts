/** Everyone in the room as the page shows them: plain values, taken anew after each change. */

import type { EncryptionProblem, Meeting, Participant, PauseReason, StageStatusName } from "@rostrum/core";

export interface Person {
  id: string;
  name: string;
  picture: string | null;
  isSelf: boolean;
  audioOn: boolean;
  videoOn: boolean;
  audioTrack: MediaStreamTrack | null;
  videoTrack: MediaStreamTrack | null;
  screenOn: boolean;
  screenTrack: MediaStreamTrack | null;
  screenAudioTrack: MediaStreamTrack | null;
  stageStatus: StageStatusName;
  away: boolean;
  /** A moderator keeps the microphone off. */
  audioBlocked: boolean;
  /** The publications behind the pictures; null where there is none, and for oneself. */
  cameraPublication: string | null;
  screenPublication: string | null;
  /** Why the server sends no camera for now; null while it does. */
  videoPaused: PauseReason | null;
  /** Why the camera, or else the microphone, can be neither seen nor heard here; null where it can. */
  encryptionProblem: EncryptionProblem | null;
  screenProblem: EncryptionProblem | null;
  /** 0 to 10: how well the server receives oneself, how well one receives the others. */
  quality: number;
}

export function selfPerson({ self, stage }: Meeting): Person {
  return {
    id: self.id,
    name: self.name || "You",
    picture: self.picture,
    isSelf: true,
    audioOn: self.audioEnabled,
    videoOn: self.videoEnabled,
    audioTrack: self.audioTrack,
    videoTrack: self.videoTrack,
    screenOn: self.screenShareEnabled,
    screenTrack: self.screenShareTracks.video,
    screenAudioTrack: null,
    stageStatus: stage.status,
    away: false,
    audioBlocked: self.censored.has("microphone"),
    cameraPublication: null,
    screenPublication: null,
    videoPaused: null,
    encryptionProblem: null,
    screenProblem: null,
    quality: self.quality,
  };
}

export function remotePerson(participant: Participant): Person {
  const camera = participant.publicationOf("camera");
  return {
    id: participant.id,
    name: participant.name || "Guest",
    picture: participant.picture,
    isSelf: false,
    audioOn: participant.audioEnabled,
    videoOn: participant.videoEnabled,
    audioTrack: participant.audioTrack,
    videoTrack: participant.videoTrack,
    screenOn: participant.screenShareEnabled,
    screenTrack: participant.screenShareTracks.video,
    screenAudioTrack: participant.screenShareTracks.audio,
    stageStatus: participant.stageStatus,
    away: participant.connection === "detached",
    audioBlocked: participant.isCensored("microphone"),
    cameraPublication: camera?.publication_id ?? null,
    screenPublication: participant.publicationOf("screen")?.publication_id ?? null,
    videoPaused: camera?.pausedFor ?? null,
    encryptionProblem: problemWith(participant, "camera") ?? problemWith(participant, "microphone"),
    screenProblem: problemWith(participant, "screen"),
    quality: participant.quality,
  };
}

/** Of what is muted there is nothing to open. */
function problemWith(participant: Participant, source: string): EncryptionProblem | null {
  const publication = participant.publicationOf(source);
  return publication === null || publication.muted ? null : publication.encryptionProblem;
}

export function isOnStage(person: Person): boolean {
  return person.stageStatus === "ON_STAGE";
}
