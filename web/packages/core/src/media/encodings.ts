/**
 * How a source is encoded: simulcast layers by the width it was captured at, lowest first.
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

/** One encoding: text wants all the bits, and few receivers want it small. */
export function screenEncodings(frameRate: number): RTCRtpEncodingParameters[] {
  return [{ maxBitrate: SCREEN_BITRATE, maxFramerate: frameRate }];
}

/** The codecs the browser can send, the wanted one first; retransmission and the rest keep their order. */
export function preferCodec<Codec extends { mimeType: string }>(codecs: readonly Codec[], wanted: string): Codec[] {
  const isWanted = (codec: Codec) => codec.mimeType.toLowerCase() === wanted.toLowerCase();
  return [...codecs.filter(isWanted), ...codecs.filter((codec) => !isWanted(codec))];
}
