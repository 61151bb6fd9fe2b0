/**
 * What can go wrong, by kind:
 *
 *     RostrumError            code and name as the server gives them, message for a human
 *     ├── StageError          a stage action was refused (codes 2001 to 2006)
 *     ├── MediaDeviceError    a camera, microphone or screen could not be captured
 *     ├── ConnectionLostError the socket went while a request was under way
 *     └── ConnectionFailedError  the server could not be reached, or would not take us back
 */

import type { ErrorBody } from "@rostrum/protocol";

export class RostrumError extends Error {
  /** A number of the field, for example 2001; 0 for errors that never left the browser. */
  readonly code: number;
  /** Seconds after which to try again, where the server says so. */
  retryAfter: number | null = null;
  /** Of "Misdirected": the server that has the meeting. */
  url: string | null = null;

  constructor(name: string, message: string, code = 0, options?: ErrorOptions) {
    super(message, options);
    this.name = name;
    this.code = code;
  }
}

export type StageErrorName =
  | "StageDisabledForMeetingType"
  | "PermissionDenied"
  | "ActionInvalidForStageStatus"
  | "NoRequestToCancel";

/** `name` tells which rule said no; it is a StageErrorName whenever the server's reason is one. */
export class StageError extends RostrumError {}

export class MediaDeviceError extends RostrumError {
  readonly state: MediaPermissionState;

  constructor(state: MediaPermissionState, message: string, cause?: unknown) {
    super("MediaDeviceError", message, 1600, { cause });
    this.state = state;
  }
}

export class ConnectionLostError extends RostrumError {
  constructor(message = "The connection was lost before the server answered.") {
    super("ConnectionLost", message, 12);
  }
}

export class ConnectionFailedError extends RostrumError {
  constructor(message = "The server could not be reached. Check your network and try again.") {
    super("ConnectionFailed", message, 12);
  }
}

export type MediaPermissionState =
  | "NOT_REQUESTED"
  | "ACCEPTED"
  | "DENIED"
  | "SYSTEM_DENIED"
  | "COULD_NOT_START"
  | "NO_DEVICES_AVAILABLE"
  | "CANCELED";

export function errorFromServer(body: ErrorBody): RostrumError {
  const isStage = body.code >= 2000 && body.code < 2100;
  const error = isStage
    ? new StageError(body.name, body.message, body.code)
    : new RostrumError(body.name, body.message, body.code);
  error.retryAfter = body.retry_after ?? null;
  error.url = body.url ?? null;
  return error;
}

/** The same refusal, seen as the answer to a stage action. */
export function asStageError(error: unknown): unknown {
  if (!(error instanceof RostrumError) || error instanceof StageError) return error;
  if (error instanceof ConnectionLostError || error instanceof ConnectionFailedError) return error;
  return new StageError(error.name, error.message, error.code, { cause: error });
}

/** Whether the server said no for this reason. */
export function isNamed(error: unknown, name: string): boolean {
  return error instanceof RostrumError && error.name === name;
}
