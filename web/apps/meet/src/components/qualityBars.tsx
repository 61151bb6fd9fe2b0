/** How well somebody is received, as three bars, with words for whoever points at them or listens. */

import type { JSX } from "preact";

const GRADES = [
  { from: 7, bars: 3, name: "good", words: "Good connection" },
  { from: 4, bars: 2, name: "fair", words: "Fair connection" },
  { from: 0, bars: 1, name: "poor", words: "Poor connection" },
] as const;

export type Grade = (typeof GRADES)[number];

/** Of a score from 0 to 10. */
export function gradeOf(quality: number): Grade {
  return GRADES.find((grade) => quality >= grade.from) ?? GRADES[2];
}

export function QualityBars({ quality }: { quality: number }): JSX.Element {
  const { bars, name, words } = gradeOf(quality);
  return (
    <span class={`quality-bars ${name}`} role="img" aria-label={words} title={words} data-testid="tile-quality" data-grade={name}>
      {[1, 2, 3].map((bar) => (
        <span key={bar} class={bar <= bars ? "lit" : ""} />
      ))}
    </span>
  );
}
