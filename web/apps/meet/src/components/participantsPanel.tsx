/** Everyone: who waits to come in, who waits for the stage, who is on it, who watches; and what a host may do about each. */

import type { JSX } from "preact";
import { panel } from "../state/panels";
import type { Person } from "../state/people";
import type { RoomStore } from "../state/roomStore";
import { attempt } from "../state/toasts";
import { Avatar } from "./avatar";
import { Button, RoundButton } from "./button";
import * as icons from "./icons";
import { AdmitAll, Decision, nameOf } from "./waitingNotice";

export function ParticipantsPanel({ store }: { store: RoomStore }): JSX.Element {
  const staged = store.stage.value.enabled;
  return (
    <aside class="panel" aria-label="People" data-testid="participants-panel">
      <header class="panel-head">
        <h2>People</h2>
        <RoundButton label="Close" icon={<icons.Close />} onClick={() => (panel.value = null)} />
      </header>
      <div class="panel-body">
        <Waiting store={store} />
        <Requests store={store} />
        <People store={store} title={staged ? "On the stage" : "In the meeting"} people={store.onStage.value} />
        {store.watching.value.length > 0 && (
          <People store={store} title="Watching" people={store.watching.value} />
        )}
      </div>
    </aside>
  );
}

function Waiting({ store }: { store: RoomStore }): JSX.Element | null {
  const waiting = store.waiting.value;
  if (waiting.length === 0) return null;
  return (
    <section aria-label="Waiting to come in" class="people-section requests" data-testid="waiting-list">
      <div class="section-head">
        <h3>
          Waiting to come in <span class="count">{waiting.length}</span>
        </h3>
        {waiting.length > 1 && <AdmitAll store={store} />}
      </div>
      <ul>
        {waiting.map((who) => (
          <li key={who.id} class="person-row" data-testid="waiting-row" data-peer-id={who.id}>
            <Avatar id={who.id} name={nameOf(who)} picture={who.picture} />
            <span class="person-name">{nameOf(who)}</span>
            <Decision store={store} who={who} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function Requests({ store }: { store: RoomStore }): JSX.Element | null {
  const { requests, isHost } = store.stage.value;
  const { stage } = store.meeting;
  if (!isHost || requests.length === 0) return null;
  const everyone = requests.map((request) => request.peerId);
  return (
    <section aria-label="Requests to join the stage" class="people-section requests">
      <div class="section-head">
        <h3>Asking to join</h3>
        {requests.length > 1 && (
          <span class="row-actions">
            <Button small tone="quiet" onClick={() => void attempt(() => stage.denyAccess(everyone))} testId="deny-all">
              Deny all
            </Button>
            <Button small tone="primary" onClick={() => void attempt(() => stage.grantAccess(everyone))} testId="accept-all">
              Accept all
            </Button>
          </span>
        )}
      </div>
      <ul>
        {requests.map((request) => (
          <li key={request.peerId} class="person-row" data-testid="stage-request-row" data-peer-id={request.peerId}>
            <Avatar id={request.peerId} name={request.displayName} picture={null} />
            <span class="person-name">{request.displayName}</span>
            <span class="row-actions">
              <RoundButton
                label={`Deny ${request.displayName}`}
                icon={<icons.Close />}
                testId="stage-deny"
                onClick={() => void attempt(() => stage.denyAccess([request.peerId]))}
              />
              <RoundButton
                label={`Accept ${request.displayName}`}
                icon={<icons.Check />}
                tone="active"
                testId="stage-accept"
                onClick={() => void attempt(() => stage.grantAccess([request.peerId]))}
              />
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function People({ store, title, people }: { store: RoomStore; title: string; people: Person[] }): JSX.Element {
  return (
    <section class="people-section" aria-label={title}>
      <div class="section-head">
        <h3>
          {title} <span class="count">{people.length}</span>
        </h3>
      </div>
      <ul>
        {people.map((person) => (
          <PersonRow key={person.id} store={store} person={person} />
        ))}
      </ul>
    </section>
  );
}

function PersonRow({ store, person }: { store: RoomStore; person: Person }): JSX.Element {
  const onStage = person.stageStatus === "ON_STAGE";
  return (
    <li class="person-row" data-testid="participant-row" data-peer-id={person.id}>
      <Avatar id={person.id} name={person.name} picture={person.picture} />
      <span class="person-name">
        {person.name}
        {person.isSelf && <span class="faint"> (you)</span>}
        {statusText(person) !== null && <span class="person-status">{statusText(person)}</span>}
      </span>
      {onStage && (
        <span class={`person-devices${person.audioOn ? "" : " off"}`}>
          {person.audioOn ? <icons.Microphone /> : <icons.MicrophoneOff />}
          {person.videoOn ? <icons.Camera /> : <icons.CameraOff />}
        </span>
      )}
      {!person.isSelf && <Moderation store={store} person={person} />}
    </li>
  );
}

function statusText(person: Person): string | null {
  if (person.away) return "Reconnecting…";
  if (person.stageStatus === "REQUESTED_TO_JOIN_STAGE") return "Asks to join the stage";
  if (person.stageStatus === "ACCEPTED_TO_JOIN_STAGE") return "Invited to the stage";
  if (person.audioBlocked) return "Microphone blocked";
  return null;
}

/** Only what the preset permits; the server checks it again. */
function Moderation({ store, person }: { store: RoomStore; person: Person }): JSX.Element {
  const { meeting } = store;
  const may = store.permissions.value;
  const stage = store.stage.value;
  const managesStage = stage.enabled && stage.isHost;
  const who = () => meeting.participants.joined.get(person.id);
  return (
    <span class="row-actions">
      {may.disableParticipantAudio && person.audioOn && (
        <RoundButton
          label={`Turn off the microphone of ${person.name}`}
          icon={<icons.MicrophoneOff />}
          testId="mute-participant"
          onClick={() => void attempt(async () => who()?.disableAudio())}
        />
      )}
      {may.disableParticipantAudio && (
        <RoundButton
          label={`${person.audioBlocked ? "Allow" : "Block"} the microphone of ${person.name}`}
          icon={person.audioBlocked ? <icons.Unlock /> : <icons.Lock />}
          tone={person.audioBlocked ? "off" : "plain"}
          pressed={person.audioBlocked}
          testId={person.audioBlocked ? "allow-audio-participant" : "block-audio-participant"}
          onClick={() =>
            void attempt(async () => {
              const sources = ["microphone"];
              await (person.audioBlocked ? who()?.uncensor(sources) : who()?.censor(sources));
            })
          }
        />
      )}
      {may.disableParticipantVideo && person.videoOn && (
        <RoundButton
          label={`Turn off the camera of ${person.name}`}
          icon={<icons.CameraOff />}
          testId="stop-video-participant"
          onClick={() => void attempt(async () => who()?.disableVideo())}
        />
      )}
      {managesStage && person.stageStatus === "ON_STAGE" && (
        <Button
          small
          label={`Take ${person.name} off the stage`}
          testId="stage-remove"
          onClick={() => void attempt(() => meeting.stage.kick([person.id]))}
        >
          Off stage
        </Button>
      )}
      {managesStage && person.stageStatus === "OFF_STAGE" && (
        <Button
          small
          label={`Invite ${person.name} to the stage`}
          testId="stage-invite"
          onClick={() => void attempt(() => meeting.stage.inviteToStage([person.id]))}
        >
          Invite
        </Button>
      )}
      {may.kickParticipant && (
        <RoundButton
          label={`Remove ${person.name} from the meeting`}
          icon={<icons.RemovePerson />}
          testId="kick-participant"
          onClick={() => void attempt(async () => who()?.kick())}
        />
      )}
    </span>
  );
}
