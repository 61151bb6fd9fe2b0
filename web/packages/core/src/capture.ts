/** Getting tracks out of the browser: camera, microphone, screen; with errors that say what to do. */

import { type MediaPermissionState, MediaDeviceError } from "./errors";
import type { PresetConfig, VideoQuality } from "./preset";

export const FRAME_SIZES: Record<VideoQuality, { width: number; height: number }> = {
  qvga: { width: 384, height: 288 },
  pvga: { width: 480, height: 360 },
  vga: { width: 640, height: 480 },
  hd: { width: 1280, height: 720 },
  fhd: { width: 1920, height: 1080 },
  uhd: { width: 3840, height: 2160 },
};

export type CapturedKind = "audio" | "video" | "screenshare";

export interface ScreenTracks {
  video: MediaStreamTrack;
  audio: MediaStreamTrack | null;
}

/** The part of `navigator.mediaDevices` that is used. */
export type MediaDevicesLike = Pick<
  MediaDevices,
  "getUserMedia" | "getDisplayMedia" | "enumerateDevices" | "addEventListener" | "removeEventListener"
>;

export class Capture {
  constructor(private readonly devices: MediaDevicesLike | undefined) {}

  async microphone(config: PresetConfig, deviceId: string | null): Promise<MediaStreamTrack> {
    const stereo = config.media.audio?.enableStereo === true;
    const stream = await this.capture("audio", (devices) =>
      onDevice(deviceId, (wanted) =>
        devices.getUserMedia({
          audio: {
            echoCancellation: true,
            noiseSuppression: true,
            autoGainControl: true,
            ...(stereo ? { channelCount: 2 } : {}),
            ...wanted,
          },
        }),
      ),
    );
    return stream.getAudioTracks()[0]!;
  }

  async camera(config: PresetConfig, deviceId: string | null): Promise<MediaStreamTrack> {
    const { quality, frameRate } = config.media.video;
    const size = FRAME_SIZES[quality] ?? FRAME_SIZES.vga;
    const stream = await this.capture("video", (devices) =>
      onDevice(deviceId, (wanted) =>
        devices.getUserMedia({
          video: {
            width: { ideal: size.width },
            height: { ideal: size.height },
            frameRate: { ideal: frameRate, max: frameRate },
            ...wanted,
          },
        }),
      ),
    );
    const track = stream.getVideoTracks()[0]!;
    track.contentHint = "motion";
    return track;
  }

  async screen(config: PresetConfig): Promise<ScreenTracks> {
    const { quality, frameRate } = config.media.screenshare;
    const size = FRAME_SIZES[quality] ?? FRAME_SIZES.fhd;
    const stream = await this.capture("screenshare", (devices) =>
      devices.getDisplayMedia({
        video: {
          width: { max: size.width },
          height: { max: size.height },
          frameRate: { ideal: frameRate, max: frameRate },
        },
        audio: true,
      }),
    );
    const video = stream.getVideoTracks()[0]!;
    video.contentHint = "detail";
    return { video, audio: stream.getAudioTracks()[0] ?? null };
  }

  async list(kind?: MediaDeviceKind): Promise<MediaDeviceInfo[]> {
    const devices = (await this.devices?.enumerateDevices()) ?? [];
    return kind === undefined ? devices : devices.filter((device) => device.kind === kind);
  }

  onDeviceChange(listener: () => void): () => void {
    this.devices?.addEventListener("devicechange", listener);
    return () => this.devices?.removeEventListener("devicechange", listener);
  }

  private async capture(
    kind: CapturedKind,
    ask: (devices: MediaDevicesLike) => Promise<MediaStream>,
  ): Promise<MediaStream> {
    if (this.devices === undefined) {
      throw new MediaDeviceError("COULD_NOT_START", "Cameras and microphones need a secure (https) page.");
    }
    try {
      return await ask(this.devices);
    } catch (error) {
      const state = permissionStateOf(error, kind);
      throw new MediaDeviceError(state, explain(state, kind), error);
    }
  }
}

/**
 * From the device that was chosen, or from any where it is not there any more. As a mere wish ("ideal") Chromium gives
 * the system's microphone all the same.
 */
async function onDevice(
  deviceId: string | null,
  ask: (wanted: MediaTrackConstraints) => Promise<MediaStream>,
): Promise<MediaStream> {
  if (deviceId === null) return ask({});
  try {
    return await ask({ deviceId: { exact: deviceId } });
  } catch (error) {
    const { name } = error as { name?: string };
    if (name !== "OverconstrainedError" && name !== "NotFoundError") throw error;
    return ask({});
  }
}

export function permissionStateOf(error: unknown, kind: CapturedKind): MediaPermissionState {
  const { name, message } = error instanceof Error ? error : { name: "", message: "" };
  switch (name) {
    case "NotAllowedError":
    case "SecurityError":
      if (/system/i.test(message)) return "SYSTEM_DENIED";
      return kind === "screenshare" ? "CANCELED" : "DENIED";
    case "NotFoundError":
    case "OverconstrainedError":
      return "NO_DEVICES_AVAILABLE";
    case "AbortError":
      return kind === "screenshare" ? "CANCELED" : "COULD_NOT_START";
    default:
      return "COULD_NOT_START";
  }
}

const NOUNS: Record<CapturedKind, string> = { audio: "microphone", video: "camera", screenshare: "screen" };

function explain(state: MediaPermissionState, kind: CapturedKind): string {
  const noun = NOUNS[kind];
  switch (state) {
    case "DENIED":
      return `This page may not use your ${noun}. Allow it next to the address, then try again.`;
    case "SYSTEM_DENIED":
      return `Your system does not let the browser use your ${noun}. Allow it in the system settings.`;
    case "NO_DEVICES_AVAILABLE":
      return `No ${noun} was found.`;
    case "CANCELED":
      return "Sharing was cancelled.";
    default:
      return `Your ${noun} could not be started. Another program may be using it.`;
  }
}
