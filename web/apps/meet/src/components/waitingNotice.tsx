/** Somebody wants to come in: for who may admit, above the meeting, until it is decided or put off. */

import type { WaitlistedParticipant } from "@rostrum/core";
import type { JSX } from "preact";
import { panel } from "../state/panels";
import type { RoomStore } from "../state/roomStore";
import { attempt } from "../state/toasts";
import { Avatar } from "./avatar";
import { Button, RoundButton } from "./button";
import * as icons from "./icons";

export function WaitingNotice({ store }: { store: RoomStore }): JSX.Element | null {
  const fresh = store.waiting.value.filter(({ id }) => !store.putOff.value.has(id));
  const [first, ...others] = fresh;
  if (first === undefined || panel.value === "participants") return null;
  return (
    <div class="waiting-notice" role="status" data-testid="waiting-notice">
      <Avatar id={first.id} name={nameOf(first)} picture={first.picture} />
      <span class="waiting-who">
        <strong>{nameOf(first)}</strong>
        {others.length === 0 ? " wants to come in" : ` and ${countOf(others.length)} want to come in`}
      </span>
      {others.length === 0 ? <Decision store={store} who={first} /> : <ForSeveral store={store} />}
      <RoundButton
        label="Decide later"
        icon={<icons.Close />}
        testId="waiting-later"
        onClick={() => (store.putOff.value = new Set(store.waiting.value.map(({ id }) => id)))}
      />
    </div>
  );
}

/** Deny and admit one who waits. */
export function Decision({ store, who }: { store: RoomStore; who: WaitlistedParticipant }): JSX.Element {
  const { participants } = store.meeting;
  return (
    <span class="row-actions">
      <Button
        small
        tone="quiet"
        label={`Turn ${nameOf(who)} away`}
        testId="waiting-deny"
        onClick={() => void attempt(() => participants.rejectWaitingRoomRequest(who.id))}
      >
        Deny
      </Button>
      <Button
        small
        tone="primary"
        label={`Let ${nameOf(who)} in`}
        testId="waiting-admit"
        onClick={() => void attempt(() => participants.acceptWaitingRoomRequest(who.id))}
      >
        Admit
      </Button>
    </span>
  );
}

export function AdmitAll({ store }: { store: RoomStore }): JSX.Element {
  const { participants } = store.meeting;
  return (
    <Button
      small
      tone="primary"
      testId="waiting-admit-all"
      onClick={() => void attempt(() => participants.acceptAllWaitingRoomRequest())}
    >
      Admit all
    </Button>
  );
}

function ForSeveral({ store }: { store: RoomStore }): JSX.Element {
  return (
    <span class="row-actions">
      <Button small tone="quiet" testId="waiting-show" onClick={() => (panel.value = "participants")}>
        Show
      </Button>
      <AdmitAll store={store} />
    </span>
  );
}

export function nameOf({ name }: WaitlistedParticipant): string {
  return name || "Guest";
}

function countOf(others: number): string {
  return others === 1 ? "1 other" : `${others} others`;
}
