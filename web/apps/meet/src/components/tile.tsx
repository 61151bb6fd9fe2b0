/** One person: the camera, or the avatar; the name, what is muted, and a ring while speaking. */

import type { Participants } from "@rostrum/core";
import type { JSX } from "preact";
import type { Person } from "../state/people";
import { Avatar } from "./avatar";
import { EncryptedNote, wordsOf } from "./encryptedNote";
import { MicrophoneOff } from "./icons";
import { gradeOf, QualityBars } from "./qualityBars";
import { Video } from "./video";

interface TileProps {
  person: Person;
  participants: Participants;
  speaking: boolean;
  width?: number;
  height?: number;
}

export function Tile({ person, participants, speaking: heard, width, height }: TileProps): JSX.Element {
  const speaking = heard && person.audioOn;
  const name = person.isSelf ? `${person.name} (you)` : person.name;
  const showsVideo = person.videoOn && person.videoTrack !== null;
  const problem = person.encryptionProblem;
  const paused = showsVideo && (person.videoPaused !== null || problem !== null);
  const size = width === undefined ? {} : { width: `${width}px`, height: `${height}px` };
  return (
    <article
      class={`tile${speaking ? " speaking" : ""}${person.away ? " away" : ""}`}
      style={size}
      aria-label={describe(person, name, speaking)}
      data-testid="tile"
      data-peer-id={person.id}
      data-self={person.isSelf}
      data-audio={person.audioOn ? "on" : "off"}
      data-video={person.videoOn ? "on" : "off"}
      data-speaking={speaking}
      data-paused={paused}
      data-encryption={problem ?? "none"}
    >
      {showsVideo && person.videoTrack && (
        <Video
          track={person.videoTrack}
          mirrored={person.isSelf}
          label={`Camera of ${name}`}
          shows={person.cameraPublication}
          participants={participants}
        />
      )}
      {/* Over a paused video, which stays: what is not on the page counts as not wanted. */}
      {(!showsVideo || paused) && <Avatar id={person.id} name={person.name} picture={person.picture} />}
      <div class="tile-label">
        {!person.audioOn && (
          <span class="muted-mark" data-testid="tile-muted">
            <MicrophoneOff />
          </span>
        )}
        <span class="tile-name" data-testid="tile-name">
          {name}
        </span>
        {!person.away && <QualityBars quality={person.quality} />}
      </div>
      {!person.away && problem !== null && <EncryptedNote problem={problem} testId="tile-encrypted" />}
      {person.away ? (
        <span class="tile-note">Reconnecting…</span>
      ) : (
        paused &&
        problem === null && (
          <span class="tile-note" role="status" data-testid="tile-paused">
            {person.videoPaused === "overload" ? "Video paused: server busy" : "Video paused: poor network"}
          </span>
        )
      )}
    </article>
  );
}

function describe(person: Person, name: string, speaking: boolean): string {
  const facts = [name, person.audioOn ? "microphone on" : "muted", person.videoOn ? "camera on" : "camera off"];
  if (speaking) facts.push("speaking");
  if (person.encryptionProblem !== null) facts.push(wordsOf(person.encryptionProblem).toLowerCase());
  if (gradeOf(person.quality).name !== "good") facts.push(gradeOf(person.quality).words.toLowerCase());
  return facts.join(", ");
}
