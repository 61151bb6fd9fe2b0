/** A preset as the client sees it: what one may do (permissions) and how media should be (config). */

import { camelize } from "./camel";

export type ProducePermission = "ALLOWED" | "NOT_ALLOWED" | "CAN_REQUEST";
export type ProduceKind = "audio" | "video" | "screenshare";
export type VideoQuality = "qvga" | "pvga" | "vga" | "hd" | "fhd" | "uhd";

export interface Permissions {
  media: Record<ProduceKind, { canProduce: ProducePermission }>;
  canEditDisplayName: boolean;
  kickParticipant: boolean;
  /** Of the waiting room: may let in who waits, and is told who does. */
  acceptWaitingRequests: boolean;
  disableParticipantAudio: boolean;
  disableParticipantVideo: boolean;
  disableParticipantScreensharing: boolean;
  showParticipantList: boolean;
  /** Messages over data channels; receiving them needs no permission. */
  canSendData: boolean;
  stageEnabled?: boolean;
  stageAccess?: ProducePermission;
  acceptStageRequests?: boolean;
  hiddenParticipant: boolean;
  [permission: string]: unknown;
}

export interface PresetConfig {
  viewType: string;
  maxVideoStreams: { mobile: number; desktop: number };
  media: {
    audio?: { enableStereo?: boolean; enableHighBitrate?: boolean };
    video: { quality: VideoQuality; frameRate: number; simulcast?: boolean };
    screenshare: { quality: VideoQuality; frameRate: number };
  };
  [setting: string]: unknown;
}

export const DEFAULT_CONFIG: PresetConfig = {
  viewType: "GROUP_CALL",
  maxVideoStreams: { mobile: 6, desktop: 16 },
  media: { video: { quality: "hd", frameRate: 30 }, screenshare: { quality: "fhd", frameRate: 15 } },
};

const NOTHING: Permissions = {
  media: {
    audio: { canProduce: "NOT_ALLOWED" },
    video: { canProduce: "NOT_ALLOWED" },
    screenshare: { canProduce: "NOT_ALLOWED" },
  },
  canEditDisplayName: false,
  kickParticipant: false,
  acceptWaitingRequests: false,
  disableParticipantAudio: false,
  disableParticipantVideo: false,
  disableParticipantScreensharing: false,
  showParticipantList: true,
  canSendData: false,
  hiddenParticipant: false,
};

export function parsePermissions(fromServer: Record<string, unknown>): Permissions {
  return { ...NOTHING, ...(camelize(fromServer) as Partial<Permissions>) };
}

export function parseConfig(fromServer: Record<string, unknown>): PresetConfig {
  const config = camelize(fromServer) as Partial<PresetConfig>;
  return { ...DEFAULT_CONFIG, ...config, media: { ...DEFAULT_CONFIG.media, ...config.media } };
}
