/** Nothing can be done here without a better link: say what is wrong, and what to do. */

import type { JSX } from "preact";
import { Button } from "../components/button";
import { Warning } from "../components/icons";

interface ProblemProps {
  title: string;
  advice: string;
  onRetry?: (() => void) | undefined;
}

export function Problem({ title, advice, onRetry }: ProblemProps): JSX.Element {
  return (
    <main class="centered">
      <section class="card notice" data-testid="problem">
        <span class="notice-mark">
          <Warning />
        </span>
        <h1>{title}</h1>
        <p>{advice}</p>
        {onRetry && (
          <Button tone="primary" onClick={onRetry} testId="retry-button">
            Try again
          </Button>
        )}
      </section>
    </main>
  );
}
