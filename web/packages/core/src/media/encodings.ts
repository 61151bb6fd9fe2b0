/**
 * How a source is encoded. VP8, H.264 and H.265 send simulcast, several encodings by the width the source was
 * captured at, lowest first; VP9 and AV1 send one with spatial layers within (SVC), which costs less for the same.
 *
 *     width      q             h             f
 *     <= 320     250 kbit/s
 *     <= 640     1/2, 250 k    700 k
 *     <= 1280    1/4, 200 k    1/2, 600 k    1.5 M
 *     above      1/4, 300 k    1/2, 900 k    2.5 M
 */

export const LOW_LAYER_FRAME_RATE = 24;

type Step = [rid: string, scaleDownBy: number, bitrate: number];

const LADDERS: [maxWidth: number, steps: Step[]][] = [
  [320, [["q", 1, 250_000]]],
  [640, [["q", 2, 250_000], ["h", 1, 700_000]]],
  [1280, [["q", 4, 200_000], ["h", 2, 600_000], ["f", 1, 1_500_000]]],
  [Infinity, [["q", 4, 300_000], ["h", 2, 900_000], ["f", 1, 2_500_000]]],
];

const SCREEN_BITRATE = 2_500_000;

export function cameraEncodings(width: number, simulcast: boolean): RTCRtpEncodingParameters[] {
  const [, steps] = LADDERS.find(([maxWidth]) => width <= maxWidth) ?? LADDERS[0]!;
  if (!simulcast) return [{ maxBitrate: steps[steps.length - 1]![2] }];
  if (steps.length === 1) return [{ maxBitrate: steps[0]![2] }];
  return steps.map(([rid, scaleResolutionDownBy, maxBitrate], index) => ({
    rid,
    scaleResolutionDownBy,
    maxBitrate,
    ...(index === 0 ? { maxFramerate: LOW_LAYER_FRAME_RATE } : {}),
  }));
}

export type VideoCodec = "VP8" | "H264" | "H265" | "VP9" | "AV1";

/** Whether a codec makes its spatial layers itself. */
export function isScalable(codec: VideoCodec): boolean {
  return codec === "VP9" || codec === "AV1";
}

const MODES: [maxWidth: number, mode: string, bitrate: number][] = [
  [320, "L1T3", 250_000],
  [640, "L2T3_KEY", 800_000],
  [1280, "L3T3_KEY", 1_700_000],
  [Infinity, "L3T3_KEY", 3_000_000],
];

/** One encoding with layers. Layers refer to each other at key frames only, so nobody is sent two of them. */
export function scalableEncodings(width: number): RTCRtpEncodingParameters[] {
  const [, scalabilityMode, maxBitrate] = MODES.find(([maxWidth]) => width <= maxWidth) ?? MODES[0]!;
  return [{ scalabilityMode, maxBitrate } as RTCRtpEncodingParameters];
}

/** The same without the layers, for a browser that refuses them. */
export function withoutLayers(encodings: RTCRtpEncodingParameters[]): RTCRtpEncodingParameters[] {
  return encodings.map((encoding) => {
    const plain: RTCRtpEncodingParameters & { scalabilityMode?: string } = { ...encoding };
    delete plain.scalabilityMode;
    return plain;
  });
}

/** One encoding: text wants all the bits, and few receivers want it small. */
export function screenEncodings(frameRate: number): RTCRtpEncodingParameters[] {
  return [{ maxBitrate: SCREEN_BITRATE, maxFramerate: frameRate }];
}

/** The codecs the browser can send, the wanted one first; retransmission and the rest keep their order. */
export function preferCodec<Codec extends { mimeType: string }>(codecs: readonly Codec[], wanted: string): Codec[] {
  const isWanted = (codec: Codec) => codec.mimeType.toLowerCase() === wanted.toLowerCase();
  return [...codecs.filter(isWanted), ...codecs.filter((codec) => !isWanted(codec))];
}
