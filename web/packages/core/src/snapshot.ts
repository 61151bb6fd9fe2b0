/**
 * A snapshot instead of missed events: what happened meanwhile, as the events that lead from what is known here to
 * the state that the server told. So whoever listens hears of changes alone, and nothing begins anew.
 */

import type { AnyEvent, PeerInfo, PublicationInfo, Snapshot } from "@rostrum/protocol";
import { dispatch, type DispatchTargets } from "./dispatch";

export interface Known {
  selfId: string;
  peers: { id: string; publications: PublicationInfo[] }[];
}

/** Of one's own publications only what the server says of those that are still there. */
export function eventsTo(snapshot: Snapshot, { selfId, peers }: Known): AnyEvent[] {
  const there = new Set(snapshot.publications.map((one) => one.publication_id));
  const present = new Set(snapshot.peers.map((one) => one.peer_id));
  const known = new Set(peers.map((one) => one.id));
  const knownPublications = new Set(peers.flatMap((one) => one.publications.map((each) => each.publication_id)));
  const ended = peers.flatMap((one) => one.publications).filter((one) => !there.has(one.publication_id));
  return [
    ...ended.map(removed),
    ...peers.filter((one) => !present.has(one.id)).map(({ id }) => left(id)),
    ...snapshot.peers.map((peer) => arrived(peer, known.has(peer.peer_id))),
    { type: "peer_updated", peer: snapshot.me },
    {
      type: "permissions_updated",
      preset_name: snapshot.me.preset_name,
      permissions: snapshot.permissions,
      config: snapshot.config,
    },
    { type: "stage", stage: snapshot.stage },
    { type: "stage_requests", requests: snapshot.stage_requests },
    { type: "waiting_list", waiting: snapshot.waiting },
    ...snapshot.publications.map((publication): AnyEvent => {
      const { publication_id, peer_id } = publication;
      const isNew = peer_id !== selfId && !knownPublications.has(publication_id);
      return { type: isNew ? "publication_added" : "publication_updated", publication };
    }),
  ];
}

/** What of the meeting is begun anew where the server has not got it any more. */
export interface Reconstruction {
  subscribe: (publicationIds: string[]) => void;
  /** Publishes what is turned on and not published. */
  send: () => void;
  repeatView: () => void;
  withData: boolean;
}

/** Becomes as the server says. Media that it still has flows on meanwhile. */
export function followSnapshot(snapshot: Snapshot, to: DispatchTargets, again: Reconstruction): void {
  const peers = to.participants.joined.toArray().map(({ id, publications }) => ({
    id,
    publications: [...publications.values()],
  }));
  const known = new Set(peers.flatMap(({ publications }) => publications.map((one) => one.publication_id)));
  for (const event of eventsTo(snapshot, { selfId: to.self.id, peers })) dispatch(event, to);
  followPublished(snapshot, to, again);
  to.subscriber.forgetMove();
  if (!snapshot.subscribes) to.subscriber.reset();
  const subscribed = new Set(snapshot.subscribes ? snapshot.subscriptions : []);
  const others = snapshot.publications.filter((one) => known.has(one.publication_id));
  again.subscribe(others.map((one) => one.publication_id).filter((id) => !subscribed.has(id)));
  if (!snapshot.subscribes) again.repeatView();
}

/** What is sent here and not there any more is published again; a mute that went with a server is repeated. */
function followPublished(snapshot: Snapshot, to: DispatchTargets, again: Reconstruction): void {
  const there = new Map(snapshot.publications.map((one) => [one.publication_id, one]));
  if (!snapshot.publishes) {
    to.publisher.reset();
    if (again.withData) to.data.open().catch(to.failed);
  }
  let complete = snapshot.publishes;
  for (const [publicationId, { source }] of to.publisher.published) {
    const publication = there.get(publicationId);
    if (publication === undefined) {
      complete = false;
      to.publisher.drop(source).catch(to.failed);
    } else if (publication.muted_by !== "moderator") {
      to.publisher.reconcileMuted(publicationId, publication.muted).catch(to.failed);
    }
  }
  if (!complete && snapshot.stage.status === "ON_STAGE") again.send();
}

function removed({ publication_id, peer_id }: PublicationInfo): AnyEvent {
  return { type: "publication_removed", publication_id, peer_id, reason: "unpublished" };
}

function left(peer_id: string): AnyEvent {
  return { type: "peer_left", peer_id, reason: "left" };
}

function arrived(peer: PeerInfo, known: boolean): AnyEvent {
  return { type: known ? "peer_updated" : "peer_joined", peer };
}
