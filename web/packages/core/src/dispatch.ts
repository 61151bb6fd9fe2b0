/** Hands each event of the server to the part of the meeting that it is about. */

import type { AnyEvent, IceServer, PeerInfo, PublicationInfo, PublicationLimited, SessionLeft } from "@rostrum/protocol";
import type { DataChannels } from "./data/dataChannels";
import type { LocalMedia } from "./localMedia";
import type { Publisher } from "./media/publisher";
import type { Subscriber } from "./media/subscriber";
import { BEST_SCORE } from "./participant";
import type { Participants } from "./participants";
import type { Self } from "./self";
import type { Stage } from "./stage";

export interface DispatchTargets {
  self: Self;
  stage: Stage;
  participants: Participants;
  publisher: Publisher;
  subscriber: Subscriber;
  localMedia: LocalMedia;
  data: DataChannels;
  /** A publication of someone else appeared. */
  published: (publicationIds: string[]) => void;
  mediaReset: () => void;
  iceServers: (servers: IceServer[]) => void;
  sessionLeft: (reason: SessionLeft["reason"]) => void;
  /** Something started by an event failed, and nobody waits for it. */
  failed: (error: unknown) => void;
}

export function dispatch(event: AnyEvent, to: DispatchTargets): void {
  switch (event.type) {
    case "peer_joined":
      if (event.peer.peer_id !== to.self.id) to.participants.handlePeerJoined(event.peer);
      break;
    case "peer_updated":
      if (event.peer.peer_id === to.self.id) ownInfo(event.peer, to);
      else to.participants.handlePeerJoined(event.peer);
      break;
    case "peer_left":
      to.participants.handlePeerLeft(event.peer_id, event.reason);
      break;
    case "publication_added":
      publicationAdded(event.publication, to);
      break;
    case "publication_updated":
      if (event.publication.peer_id === to.self.id) ownPublicationUpdated(event.publication, to);
      else to.participants.joined.get(event.publication.peer_id)?.handlePublication(event.publication);
      break;
    case "publication_removed":
      if (event.peer_id === to.self.id) ownPublicationRemoved(event.publication_id, event.reason, to);
      else {
        to.participants.joined.get(event.peer_id)?.handlePublicationRemoved(event.publication_id);
        to.subscriber.handleEnded(event.publication_id);
      }
      break;
    case "subscribe_offer":
      to.subscriber.handleOffer(event).catch(to.failed);
      break;
    case "subscribe_move":
      to.subscriber.handleMove(event).catch(to.failed);
      break;
    case "subscription_ended":
      to.subscriber.handleEnded(event.publication_id);
      break;
    case "subscription_paused":
    case "subscription_resumed":
      to.participants.handlePaused(event.publication_id, event.type === "subscription_paused" ? event.reason : null);
      break;
    case "publication_wanted":
      to.publisher.handleWanted(event.publication_id, event.encodings).catch(to.failed);
      break;
    case "layer_changed": {
      const { spatial, temporal = 0 } = event.current;
      to.participants.ownerOf(event.publication_id)?.handleLayer(event.publication_id, spatial, temporal);
      break;
    }
    case "quality":
      if (event.direction === "publish") ownScore(event.publication_id, event.score, to);
      else to.participants.ownerOf(event.publication_id)?.handleScore(event.publication_id, event.score);
      break;
    case "speakers":
      to.participants.handleSpeakers(event.speakers, event.active);
      break;
    case "stage_status":
      if (event.peer_id === to.self.id) to.stage.handleOwnStatus(event);
      else to.stage.handlePeerStatus(event);
      break;
    case "stage":
      to.stage.handleInfo(event.stage);
      break;
    case "stage_requests":
      to.stage.handleRequests(event.requests);
      break;
    case "waiting_list":
      to.participants.waitlisted.handleList(event.waiting);
      break;
    case "peer_waiting":
      to.participants.waitlisted.handleWaiting(event.peer);
      break;
    case "peer_waiting_ended":
      to.participants.waitlisted.handleEnded(event.peer_id, event.reason);
      break;
    case "permissions_updated":
      to.self.handlePermissions(event.preset_name, event.permissions, event.config);
      break;
    case "media_reset":
      to.mediaReset();
      break;
    case "ice_servers":
      to.iceServers(event.ice_servers);
      break;
    case "session_left":
      to.sessionLeft(event.reason);
      break;
    case "data_dropped":
      to.data.handleDropped(event);
      break;
    case "publication_limited":
      ownPublicationLimited(event, to);
      break;
    case "admitted":
      // The connection takes it for the answer to a join.
      break;
    case "transport_state":
      // The browser's own view of its connections is used; it knows sooner.
      break;
  }
}

/** Blocked sources are off here before the person hears why. */
function ownInfo(peer: PeerInfo, to: DispatchTargets): void {
  for (const source of peer.censored ?? []) {
    if (to.self.censored.has(source)) continue;
    to.localMedia.handleEndedRemotely(source);
    to.publisher.mute(source).catch(to.failed);
  }
  to.self.handleInfo(peer);
}

function publicationAdded(publication: PublicationInfo, to: DispatchTargets): void {
  if (publication.peer_id === to.self.id) return;
  to.participants.joined.get(publication.peer_id)?.handlePublication(publication);
  to.published([publication.publication_id]);
}

function ownPublicationUpdated(publication: PublicationInfo, to: DispatchTargets): void {
  if (!publication.muted || publication.muted_by !== "moderator") return;
  withOwnSource(publication.publication_id, to, (source) => {
    to.publisher.handleMuted(source, true);
    to.localMedia.handleEndedRemotely(source);
    to.publisher.mute(source).catch(to.failed);
    if (!to.self.censored.has(source)) to.self.announceModerated(source, "muted");
  });
}

function ownScore(publicationId: string, score: number, to: DispatchTargets): void {
  const source = to.publisher.sourceOf(publicationId);
  if (source !== null) to.self.handleScore(source, score);
}

function ownPublicationRemoved(publicationId: string, reason: string, to: DispatchTargets): void {
  withOwnSource(publicationId, to, (source) => {
    to.self.handleScore(source, BEST_SCORE);
    if (reason === "unpublished" || reason === "node_lost") return;
    to.publisher.drop(source).catch(to.failed);
    to.localMedia.handleEndedRemotely(source);
    if (reason === "permission_revoked") to.self.announceModerated(source, "revoked");
  });
}

function ownPublicationLimited({ publication_id, ...limit }: PublicationLimited, to: DispatchTargets): void {
  withOwnSource(publication_id, to, (source) => to.self.announceLimited({ ...limit, source, reason: limit.reason ?? null }));
}

/**
 * `then` with the source that a publication of one's own is of. Others see a publication before the one who
 * publishes it has applied the answer, and may be quick to act on it: then once that is done.
 */
function withOwnSource(publicationId: string, to: DispatchTargets, then: (source: string) => void): void {
  const known = to.publisher.sourceOf(publicationId);
  if (known !== null) {
    then(known);
    return;
  }
  to.publisher
    .settled()
    .then(() => {
      const source = to.publisher.sourceOf(publicationId);
      if (source !== null) then(source);
    })
    .catch(to.failed);
}
