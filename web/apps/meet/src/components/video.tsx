/** A track on the page. `srcObject` is set by hand: it is no attribute. */

import type { Participants } from "@rostrum/core";
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { soundBlocked } from "../state/panels";

interface VideoProps {
  track: MediaStreamTrack;
  /** The publication that this is the picture of: its size is told to the server. */
  shows?: string | null;
  participants?: Participants;
  mirrored?: boolean;
  fit?: "cover" | "contain";
  label: string;
}

export function Video({ track, shows, participants, mirrored = false, fit = "cover", label }: VideoProps): JSX.Element {
  const element = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    const video = element.current;
    if (video === null) return;
    // In place of the one before, where there was one: without a moment of nothing between them.
    video.srcObject = new MediaStream([track]);
    play(video);
  }, [track]);
  useEffect(() => {
    const video = element.current;
    return () => {
      if (video !== null) video.srcObject = null;
    };
  }, []);
  useEffect(() => {
    const video = element.current;
    if (video === null || !shows || participants === undefined) return;
    return participants.showIn(shows, video);
  }, [shows, participants]);
  return (
    <video
      ref={element}
      class={`video ${fit}${mirrored ? " mirrored" : ""}`}
      aria-label={label}
      autoplay
      playsInline
      muted
    />
  );
}

/** Sound without a picture; it tells when the browser wants a click first. */
export function Sound({ track, sinkId }: { track: MediaStreamTrack; sinkId: string | null }): JSX.Element {
  const element = useRef<HTMLAudioElement>(null);
  const blocked = soundBlocked.value;
  useEffect(() => {
    const audio = element.current;
    if (audio === null) return;
    audio.srcObject = new MediaStream([track]);
    return () => {
      audio.srcObject = null;
    };
  }, [track]);
  useEffect(() => {
    if (!blocked && element.current !== null) play(element.current);
  }, [track, blocked]);
  useEffect(() => {
    const audio = element.current;
    if (sinkId !== null && audio !== null && "setSinkId" in audio) {
      audio.setSinkId(sinkId).catch((error: unknown) => console.warn("Cannot play on that speaker:", error));
    }
  }, [sinkId]);
  return <audio ref={element} autoplay />;
}

function play(media: HTMLMediaElement): void {
  media.play().catch((error: unknown) => {
    if (error instanceof DOMException && error.name === "NotAllowedError") soundBlocked.value = true;
  });
}
