/** How loud the microphone is: bars that move while one speaks. */

import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";

const BARS = 12;
const SAMPLES = 512;

export function LevelMeter({ track }: { track: MediaStreamTrack | null }): JSX.Element {
  const meter = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (track === null) return;
    return measure(track, (level) => {
      const bars = meter.current?.children ?? [];
      const lit = Math.round(level * BARS);
      for (let index = 0; index < bars.length; index++) bars[index]?.classList.toggle("lit", index < lit);
    });
  }, [track]);
  return (
    <div class={`level-meter${track === null ? " idle" : ""}`} ref={meter} aria-hidden="true" data-testid="level-meter">
      {Array.from({ length: BARS }, (_, index) => (
        <span key={index} />
      ))}
    </div>
  );
}

/** Calls back with 0 (silence) to 1 (loud) at the screen's pace, until the returned function is called. */
function measure(track: MediaStreamTrack, onLevel: (level: number) => void): () => void {
  const context = new AudioContext();
  const analyser = new AnalyserNode(context, { fftSize: SAMPLES });
  context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
  const samples = new Float32Array(SAMPLES);
  let smooth = 0;
  let frame = 0;
  const step = () => {
    analyser.getFloatTimeDomainData(samples);
    const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / SAMPLES;
    // -60 dBFS is silence, -10 dBFS is as loud as it needs to be.
    const level = Math.min(1, Math.max(0, (10 * Math.log10(power + 1e-9) + 60) / 50));
    smooth = Math.max(level, smooth * 0.9);
    onLevel(smooth);
    frame = requestAnimationFrame(step);
  };
  step();
  return () => {
    cancelAnimationFrame(frame);
    onLevel(0);
    context.close().catch((error: unknown) => console.debug("The meter did not close:", error));
  };
}
