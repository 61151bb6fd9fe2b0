/** @rostrum/core: the browser SDK. */

export { Client } from "./client";
export { Meeting } from "./meeting";
export type { ClientOptions, ServerOptions } from "./options";
export type { VideoCodec } from "./media/encodings";
export { type Invitation, mayUseAtOnce } from "./invitation";
export { browserDependencies, type Dependencies, type Fetch } from "./dependencies";
export type { Clock } from "./clock";
export type { Socket, SocketFactory } from "./connection/socket";
export type { SocketState } from "./connection/connection";
export { Emitter } from "./emitter";
export {
  ConnectionFailedError,
  ConnectionLostError,
  MediaDeviceError,
  type MediaPermissionState,
  RostrumError,
  StageError,
  type StageErrorName,
} from "./errors";
export type { RoomState } from "./roomState";
export { Self, type WaitlistStatus } from "./self";
export { keepPlayoutDelay } from "./media/playoutWatch";
export { browserClock } from "./clock";
export type { ElementWatch, ShownSize } from "./media/elementWatch";
export { BEST_SCORE, Participant, type PauseReason, type RemotePublication, type ScreenShareTracks } from "./participant";
export { ParticipantMap, type LeaveReason } from "./participantMap";
export { Participants, type Speaker } from "./participants";
export { Waitlist, type WaitingEndReason, type WaitlistedParticipant } from "./waitlist";
export { DataChannels, type DataMessage, type DataState, type SendOptions } from "./data/dataChannels";
export { Encryption, type EncryptionFailure, type EncryptionOptions, type EncryptionProblem } from "./e2ee/encryption";
export type { View } from "./view";
export { Stage, type StageAccessRequest } from "./stage";
export { Meta, type SocketUpdate } from "./meta";
export type { MeetingStats, InboundStats, OutboundStats } from "./stats";
export type { Permissions, PresetConfig } from "./preset";
export { tokenClaims } from "./token";
export type { StageStatusName } from "@rostrum/protocol";
