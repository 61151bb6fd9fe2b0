/** The page: one screen at a time, notices above it. */

import type { JSX } from "preact";
import { ToastList } from "./components/toastList";
import { Ended } from "./screens/ended";
import { Problem } from "./screens/problem";
import { Room } from "./screens/room";
import { Setup } from "./screens/setup";
import { Waiting } from "./screens/waiting";
import { launch, screen } from "./state/app";

export function Page(): JSX.Element {
  return (
    <>
      <CurrentScreen />
      <ToastList />
    </>
  );
}

function CurrentScreen(): JSX.Element {
  const current = screen.value;
  switch (current.kind) {
    case "starting":
      return (
        <main class="centered" aria-busy="true">
          <span class="spinner large" role="status" aria-label="Starting" />
        </main>
      );
    case "problem":
      return (
        <Problem
          title={current.title}
          advice={current.advice}
          onRetry={current.canRetry ? () => void launch() : undefined}
        />
      );
    case "setup":
      return <Setup store={current.store} invited={current.invited} devices={current.devices} />;
    case "waiting":
      return <Waiting store={current.store} devices={current.devices} />;
    case "room":
      return <Room store={current.store} />;
    case "ended":
      return <Ended reason={current.reason} canRejoin={current.canRejoin} />;
  }
}
