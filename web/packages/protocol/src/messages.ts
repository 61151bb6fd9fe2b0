/* Generated from the JSON Schema of signaling/protocol/messages by `npm run generate`. Do not edit. */

export type StageStatusName = "OFF_STAGE" | "REQUESTED_TO_JOIN_STAGE" | "ACCEPTED_TO_JOIN_STAGE" | "ON_STAGE";
export type AnyRequest =
  | Join
  | Resume
  | Leave
  | UpdateToken
  | ReportDevices
  | Ping
  | Publish
  | Unpublish
  | Subscribe
  | Unsubscribe
  | SubscribeAnswer
  | SubscribeMoved
  | RestartIce
  | Candidate
  | SetLayer
  | SetTiles
  | SetView
  | PauseSubscription
  | ResumeSubscription
  | Mute
  | Unmute
  | MutePeer
  | MuteAll
  | Censor
  | Uncensor
  | Kick
  | KickAll
  | UpdatePermissions
  | Admit
  | Deny
  | GetIceServers
  | GetStats
  | StageRequest
  | StageCancel
  | StageJoin
  | StageLeave
  | StageGrant
  | StageInvite
  | StageDeny
  | StageKick;
export type AnyEvent =
  | PeerJoined
  | PeerUpdated
  | PeerLeft
  | PublicationAdded
  | PublicationUpdated
  | PublicationRemoved
  | SubscribeOffer
  | SubscribeMove
  | SubscriptionEnded
  | SubscriptionPaused
  | SubscriptionResumed
  | PublicationWanted
  | PublicationLimited
  | LayerChanged
  | Quality
  | Speakers
  | TransportState
  | DataDropped
  | StageStatusChanged
  | StageChanged
  | StageRequests
  | Admitted
  | WaitingList
  | PeerWaiting
  | PeerWaitingEnded
  | PermissionsUpdated
  | MediaReset
  | IceServersChanged
  | SessionEnding
  | SessionLeft;

/**
 * Let in who waits, `all` of them or these; needs accept_waiting_requests.
 */
export interface Admit {
  all?: boolean;
  id: number;
  /**
   * @maxItems 1000
   */
  peer_ids?: string[];
  type: "admit";
}
/**
 * One waited, and is in now: what a join is answered with otherwise. `joined.seq` is this event's.
 */
export interface Admitted {
  joined: Joined;
  type: "admitted";
}
export interface Joined {
  config: {
    [k: string]: unknown;
  };
  ice_servers: IceServer[];
  me: PeerInfo;
  meeting: MeetingInfo;
  peer_id: string;
  peers: PeerInfo[];
  permissions: {
    [k: string]: unknown;
  };
  publications: PublicationInfo[];
  resume_token: string;
  resume_within: number;
  seq: number;
  session_id: string;
  stage: StageInfo;
  stage_requests: StageRequestInfo[];
  ui: {
    [k: string]: unknown;
  };
  waiting: WaitingPeerInfo[];
}
export interface IceServer {
  credential: string | null;
  urls: string[];
  username: string | null;
}
export interface PeerInfo {
  censored: string[];
  connection: "connected" | "detached";
  custom_participant_id: string | null;
  device: "desktop" | "mobile" | "bot" | "whip" | "whep";
  joined_at: string;
  name: string;
  participant_id: string;
  peer_id: string;
  picture: string | null;
  preset_name: string;
  stage_status: StageStatusName;
}
export interface MeetingInfo {
  ends_at: string | null;
  meeting_id: string;
  title: string | null;
  view_type: "GROUP_CALL" | "WEBINAR" | "AUDIO_ROOM" | "LIVESTREAM" | "CHAT";
}
export interface PublicationInfo {
  codec: string;
  encodings: number;
  encrypted: boolean;
  kind: "audio" | "video";
  muted: boolean;
  muted_by: ("owner" | "moderator") | null;
  peer_id: string;
  publication_id: string;
  source: string;
}
/**
 * The joining peer's own standing. `access` and `can_produce` are derived on the server.
 */
export interface StageInfo {
  access: "ALLOWED" | "NOT_ALLOWED" | "CAN_REQUEST";
  can_produce: {
    [k: string]: boolean;
  };
  enabled: boolean;
  is_host: boolean;
  status: StageStatusName;
}
export interface StageRequestInfo {
  name: string;
  participant_id: string;
  peer_id: string;
}
/**
 * One who waits to be admitted.
 */
export interface WaitingPeerInfo {
  custom_participant_id: string | null;
  name: string;
  participant_id: string;
  peer_id: string;
  picture: string | null;
  since: string;
}
/**
 * A trickled candidate; null or empty says there are no more.
 */
export interface Candidate {
  candidate?: string | null;
  id: number;
  transport: "publish" | "subscribe";
  type: "candidate";
}
/**
 * Block others' sources: nothing of them is forwarded, and only `uncensor` lifts it. As mute_peer.
 */
export interface Censor {
  id: number;
  /**
   * @minItems 1
   * @maxItems 1000
   */
  peer_ids: string[];
  /**
   * @maxItems 64
   */
  sources?: string[];
  type: "censor";
}
/**
 * At most about once a second and reason: messages over data channels that were not relayed.
 *
 * Of those this peer sent: `not_permitted`, `rate_limited`, `malformed`. Of those it was to get:
 * `slow_receiver`, `too_large`.
 */
export interface DataDropped {
  messages: number;
  reason: "not_permitted" | "rate_limited" | "malformed" | "slow_receiver" | "too_large";
  type: "data_dropped";
}
/**
 * Turn away who waits, `all` of them or these: they hear `session_left` `rejected`. As `admit`.
 */
export interface Deny {
  all?: boolean;
  id: number;
  /**
   * @maxItems 1000
   */
  peer_ids?: string[];
  type: "deny";
}
export interface Empty {}
/**
 * `code` is a number of the field (2001 ...), `name` is stable, `message` says what to do.
 */
export interface ErrorBody {
  code: number;
  field: string | null;
  message: string;
  name: string;
  reason: string | null;
  retry_after: number | null;
  url: string | null;
}
export interface EventFrame {
  event:
    | PeerJoined
    | PeerUpdated
    | PeerLeft
    | PublicationAdded
    | PublicationUpdated
    | PublicationRemoved
    | SubscribeOffer
    | SubscribeMove
    | SubscriptionEnded
    | SubscriptionPaused
    | SubscriptionResumed
    | PublicationWanted
    | PublicationLimited
    | LayerChanged
    | Quality
    | Speakers
    | TransportState
    | DataDropped
    | StageStatusChanged
    | StageChanged
    | StageRequests
    | Admitted
    | WaitingList
    | PeerWaiting
    | PeerWaitingEnded
    | PermissionsUpdated
    | MediaReset
    | IceServersChanged
    | SessionEnding
    | SessionLeft;
  seq: number;
}
export interface PeerJoined {
  peer: PeerInfo;
  type: "peer_joined";
}
/**
 * Connection, name, picture or preset of a peer changed; the whole of it follows. (Stage: see below.)
 */
export interface PeerUpdated {
  peer: PeerInfo;
  type: "peer_updated";
}
export interface PeerLeft {
  peer_id: string;
  reason: "left" | "kicked" | "timeout" | "ended" | "replaced";
  type: "peer_left";
}
export interface PublicationAdded {
  publication: PublicationInfo;
  type: "publication_added";
}
/**
 * Mute state changed (also of one's own, when a moderator did it).
 */
export interface PublicationUpdated {
  publication: PublicationInfo;
  type: "publication_updated";
}
/**
 * Also of one's own, when the server ended it.
 */
export interface PublicationRemoved {
  peer_id: string;
  publication_id: string;
  reason:
    "unpublished" | "peer_left" | "stage_left" | "permission_revoked" | "transport_closed" | "node_lost";
  type: "publication_removed";
}
/**
 * An offer for the subscribe connection; answer with `subscribe_answer` of the same version.
 *
 * `mids` lists the m-lines that carry media now, those not listed are inactive. `moved` is the number of the
 * move by which the connection took another's place: while `subscribe_moved` is not answered, it tells whose
 * offer this is.
 */
export interface SubscribeOffer {
  mids: OfferMid[];
  moved: number | null;
  offer: string;
  type: "subscribe_offer";
  version: number;
}
export interface OfferMid {
  kind: "audio" | "video";
  mid: string;
  peer_id: string;
  publication_id: string;
  source: string;
}
/**
 * Receive over another connection, built beside the one there is, from another part of the server.
 *
 * Answer with `subscribe_answer` of the same version and `move`; once that connection carries what the old
 * one does, send `subscribe_moved` and close the old one. With the number of a move that is under way it
 * is the next offer of its connection. A client that does not follow within 10 seconds stays where it is.
 */
export interface SubscribeMove {
  mids: OfferMid[];
  move: number;
  offer: string;
  type: "subscribe_move";
  version: number;
}
export interface SubscriptionEnded {
  publication_id: string;
  reason: "unpublished" | "unsupported_codec" | "permission_revoked" | "node_lost";
  type: "subscription_ended";
}
/**
 * The server sends nothing of this video for now, though it is wanted: "bandwidth", there is not enough
 * of it on the way here; "overload", the server has more to do than it can. Another reason takes the place
 * of the one before. It is no pause that the client asked for, and the publication is not muted.
 */
export interface SubscriptionPaused {
  publication_id: string;
  reason: "bandwidth" | "overload";
  type: "subscription_paused";
}
/**
 * What `subscription_paused` told is over.
 */
export interface SubscriptionResumed {
  publication_id: string;
  type: "subscription_resumed";
}
/**
 * Of one's own: by encoding, lowest first, whether anybody receives it. What is not wanted need not be
 * sent (`RTCRtpEncodingParameters.active`); what is wanted again, somebody waits for.
 */
export interface PublicationWanted {
  encodings: boolean[];
  publication_id: string;
  type: "publication_wanted";
}
/**
 * To its owner: more is sent of it than the preset grants, so only the lowest `forwarded` of its
 * `encodings` reach anybody; none with 0. All of them again: it keeps to the limit. `reason` says what is
 * too much: bits, frames, or the size of a picture.
 */
export interface PublicationLimited {
  encodings: number;
  forwarded: number;
  publication_id: string;
  reason: ("bitrate" | "frame_rate" | "frame_size") | null;
  type: "publication_limited";
}
export interface LayerChanged {
  current: Layer;
  publication_id: string;
  type: "layer_changed";
}
/**
 * (spatial, temporal), 0 = lowest.
 */
export interface Layer {
  spatial: number;
  temporal?: number;
}
/**
 * How good a stream is, from 0 (of no use) to 10, when that changed: "publish", what the server gets of
 * one's own publication; "subscribe", what one gets of somebody's. Until told otherwise it is 10.
 */
export interface Quality {
  direction: "publish" | "subscribe";
  publication_id: string;
  score: number;
  type: "quality";
}
/**
 * Who is speaking, loudest first. `active` is the active speaker with hysteresis.
 */
export interface Speakers {
  active: string | null;
  speakers: SpeakerInfo[];
  type: "speakers";
}
export interface SpeakerInfo {
  level: number;
  peer_id: string;
  publication_id: string;
}
export interface TransportState {
  state: "new" | "connecting" | "connected" | "disconnected" | "failed" | "closed";
  transport: "publish" | "subscribe";
  type: "transport_state";
}
/**
 * Of any peer, oneself included. `action` says why, `by` who (a host) where it was not the peer.
 */
export interface StageStatusChanged {
  action: "request" | "cancel" | "grant" | "deny" | "join" | "leave" | "kick" | "permission";
  by: string | null;
  peer_id: string;
  previous: StageStatusName;
  status: StageStatusName;
  type: "stage_status";
}
/**
 * One's own standing after a change of status or permissions.
 */
export interface StageChanged {
  stage: StageInfo;
  type: "stage";
}
/**
 * To hosts: the pending requests, oldest first, whole list.
 */
export interface StageRequests {
  requests: StageRequestInfo[];
  type: "stage_requests";
}
/**
 * To those who may admit: who waits, longest first, whole list. When one gets the right, and, empty, when
 * one loses it; in between the two events below tell what changes.
 */
export interface WaitingList {
  type: "waiting_list";
  waiting: WaitingPeerInfo[];
}
/**
 * To those who may admit: somebody waits, or waits under another name now.
 */
export interface PeerWaiting {
  peer: WaitingPeerInfo;
  type: "peer_waiting";
}
/**
 * To those who may admit: they do not wait any more.
 */
export interface PeerWaitingEnded {
  peer_id: string;
  reason: "admitted" | "rejected" | "left" | "kicked" | "timeout";
  type: "peer_waiting_ended";
}
export interface PermissionsUpdated {
  config: {
    [k: string]: unknown;
  };
  permissions: {
    [k: string]: unknown;
  };
  preset_name: string;
  type: "permissions_updated";
}
/**
 * The media node is gone and the session was placed again: rebuild both peer connections.
 *
 * All publications and subscriptions ended; publish and subscribe afresh.
 */
export interface MediaReset {
  reason: "node_lost";
  type: "media_reset";
}
/**
 * Apply by `setConfiguration`; allocations that exist live on, the next ICE restart uses these.
 */
export interface IceServersChanged {
  ice_servers: IceServer[];
  ttl: number | null;
  type: "ice_servers";
}
/**
 * The session will have lasted as long as it may: it ends in so many seconds, for everybody.
 */
export interface SessionEnding {
  ends_at: string;
  seconds_left: number;
  type: "session_ending";
}
/**
 * The last event: this peer is out, the socket closes.
 */
export interface SessionLeft {
  reason: "left" | "kicked" | "ended" | "timeout" | "timed_out" | "replaced" | "shutdown" | "rejected";
  type: "session_left";
}
/**
 * `id` is null when the frame was too broken to tell.
 */
export interface Failure {
  error: ErrorBody;
  id: number | null;
  ok: false;
}
/**
 * Fresh credentials for the TURN servers, for a client whose own may have expired while it slept.
 */
export interface GetIceServers {
  id: number;
  type: "get_ice_servers";
}
/**
 * How the server sees one's own publications and subscriptions.
 */
export interface GetStats {
  id: number;
  type: "get_stats";
}
/**
 * What a browser says of the machine that it runs on, as far as it does.
 */
export interface Hardware {
  cores?: number | null;
  memory?: number | null;
}
export interface IceServersGiven {
  ice_servers: IceServer[];
  ttl: number | null;
}
export interface Join {
  context?: string | null;
  device?: "desktop" | "mobile" | "bot";
  hardware?: Hardware | null;
  id: number;
  name?: string | null;
  sdk?: string;
  token: string;
  type: "join";
}
export interface Kick {
  id: number;
  /**
   * @minItems 1
   * @maxItems 1000
   */
  peer_ids: string[];
  type: "kick";
}
export interface KickAll {
  id: number;
  type: "kick_all";
}
export interface Leave {
  id: number;
  type: "leave";
}
/**
 * A microphone, camera or speaker.
 */
export interface MediaDevice {
  id: string;
  kind: "audioinput" | "videoinput" | "audiooutput";
  label: string;
}
/**
 * Of one's own publication: packets stop at the node, everyone is told.
 */
export interface Mute {
  id: number;
  publication_id: string;
  type: "mute";
}
/**
 * Mute what all others say; as mute_peer of microphones. Without `allow_unmute` nobody but the asking one
 * can unmute, those who come later included, until it is sent again with it; `uncensor` allows some.
 */
export interface MuteAll {
  allow_unmute?: boolean;
  id: number;
  type: "mute_all";
}
/**
 * Mute others' sources; needs disable_participant_audio / _video / _screensharing.
 */
export interface MutePeer {
  id: number;
  /**
   * @minItems 1
   * @maxItems 1000
   */
  peer_ids: string[];
  sources?: string[];
  type: "mute_peer";
}
export interface PauseSubscription {
  id: number;
  publication_id: string;
  type: "pause_subscription";
}
export interface Ping {
  id: number;
  type: "ping";
}
export interface PublicationSpec {
  encrypted?: boolean;
  kind: "audio" | "video";
  mid: string;
  muted?: boolean;
  source: string;
}
/**
 * Announce sources and offer the publish connection.
 *
 * `offer` is the whole publish offer. m-lines of earlier publications stay as they are; a publication that
 * is refused fails the request and nothing changes. With no publications it only renegotiates (for example
 * an ICE restart), or makes the connection for data channels alone.
 */
export interface Publish {
  id: number;
  offer: string;
  /**
   * @maxItems 64
   */
  publications?: PublicationSpec[];
  type: "publish";
}
export interface Published {
  answer: string;
  publications: PublishedItem[];
}
export interface PublishedItem {
  codec: string;
  encodings: number;
  mid: string;
  publication_id: string;
  source: string;
}
/**
 * Which microphones, cameras and speakers there are, all of them, each time that something about them
 * changed: for the report about the peer, which the organization reads. What it changes there is bounded;
 * nobody in the meeting is told. To say nothing is as good.
 */
export interface ReportDevices {
  /**
   * @maxItems 64
   */
  devices: MediaDevice[];
  id: number;
  type: "report_devices";
  /**
   * @maxItems 3
   */
  used?: string[];
}
/**
 * Of the subscribe transport; a new `subscribe_offer` follows. The publish side sends `publish`.
 */
export interface RestartIce {
  id: number;
  type: "restart_ice";
}
export interface Resume {
  id: number;
  last_seq: number;
  resume_token: string;
  snapshot?: boolean;
  type: "resume";
}
export interface ResumeSubscription {
  id: number;
  publication_id: string;
  type: "resume_subscription";
}
export interface Resumed {
  ice_servers: IceServer[];
  peer_id: string;
  replayed: number;
  resume_token: string;
  seq: number;
  session_id: string;
  snapshot: Snapshot | null;
}
/**
 * The state of the session where the missed events are not all kept, as of `Resumed.seq`. Offers that
 * wait for an answer, speakers, layers and pauses follow as events.
 */
export interface Snapshot {
  config: {
    [k: string]: unknown;
  };
  me: PeerInfo;
  meeting: MeetingInfo;
  peers: PeerInfo[];
  permissions: {
    [k: string]: unknown;
  };
  publications: PublicationInfo[];
  publishes: boolean;
  stage: StageInfo;
  stage_requests: StageRequestInfo[];
  subscribes: boolean;
  subscriptions: string[];
  ui: {
    [k: string]: unknown;
  };
  waiting: WaitingPeerInfo[];
}
/**
 * The best layer wanted of a subscription; null for the best there is.
 */
export interface SetLayer {
  id: number;
  preferred?: Layer | null;
  publication_id: string;
  type: "set_layer";
}
/**
 * Where subscribed videos are shown. What cannot be seen is not sent, a small tile gets a small layer.
 *
 * Those not named stay as they are; publications that are not subscribed (any more) are passed over. A video
 * that was never named is taken for shown, as large as can be.
 */
export interface SetTiles {
  id: number;
  /**
   * @minItems 1
   * @maxItems 256
   */
  tiles: TileSpec[];
  type: "set_tiles";
}
export interface TileSpec {
  height: number;
  priority?: number;
  publication_id: string;
  width: number;
}
/**
 * What to watch, without naming each publication: the server subscribes and unsubscribes for this peer.
 *
 * In "page" and "speakers" it receives every audio and every shared screen, and the videos of `peer_ids` or
 * of the `count` who spoke last, as they come and go. "manual" leaves the subscriptions there are to the
 * client again; it is how a peer begins. A view has at most as many videos as the preset's
 * `max_video_streams` says for the device; of a page that has more, those of whom it names first.
 */
export interface SetView {
  count?: number;
  encrypted?: boolean | null;
  id: number;
  mode: "manual" | "page" | "speakers";
  /**
   * @maxItems 256
   */
  peer_ids?: string[];
  type: "set_view";
}
/**
 * Result of stage requests. `status` is one's own afterwards; `peers` the outcome per named peer.
 */
export interface StageActionDone {
  peers: StageActionItem[];
  status: StageStatusName;
}
export interface StageActionItem {
  error: {
    [k: string]: unknown;
  } | null;
  ok: boolean;
  peer_id: string;
}
export interface StageCancel {
  id: number;
  type: "stage_cancel";
}
export interface StageDeny {
  id: number;
  /**
   * @minItems 1
   * @maxItems 1000
   */
  peer_ids: string[];
  type: "stage_deny";
}
/**
 * Accept a request; of a peer that is OFF_STAGE it is an invitation.
 */
export interface StageGrant {
  id: number;
  /**
   * @minItems 1
   * @maxItems 1000
   */
  peer_ids: string[];
  type: "stage_grant";
}
/**
 * The same as stage_grant, under the name that hosts use for a peer that did not ask.
 */
export interface StageInvite {
  id: number;
  /**
   * @minItems 1
   * @maxItems 1000
   */
  peer_ids: string[];
  type: "stage_invite";
}
export interface StageJoin {
  id: number;
  type: "stage_join";
}
export interface StageKick {
  id: number;
  /**
   * @minItems 1
   * @maxItems 1000
   */
  peer_ids: string[];
  type: "stage_kick";
}
export interface StageLeave {
  id: number;
  type: "stage_leave";
}
export interface StageRequest {
  id: number;
  type: "stage_request";
}
export interface StatsGiven {
  estimate: number | null;
  publications: StreamStats[];
  subscriptions: StreamStats[];
}
/**
 * A publication as it arrives at the server, or a subscription as it leaves, over the last two seconds.
 * Rates are per second, bitrates in bits of payload, shares 0 to 1, times in seconds.
 */
export interface StreamStats {
  bitrate: number;
  frame_rate: number | null;
  freezes: number;
  frozen: number;
  jitter: number;
  layer: Layer | null;
  loss: number;
  packet_rate: number;
  publication_id: string;
  repaired: number;
  rtt: number | null;
  score: number;
}
/**
 * An event `subscribe_offer` follows for those that were accepted. Videos beyond the preset's
 * `max_video_streams` for the device are refused with `LimitExceeded`; shared screens do not count.
 */
export interface Subscribe {
  id: number;
  /**
   * @minItems 1
   * @maxItems 256
   */
  subscriptions: SubscriptionSpec[];
  type: "subscribe";
}
export interface SubscriptionSpec {
  paused?: boolean;
  preferred?: Layer | null;
  publication_id: string;
}
export interface SubscribeAnswer {
  answer: string;
  id: number;
  move?: number | null;
  type: "subscribe_answer";
  version: number;
}
export interface SubscribeItem {
  error: {
    [k: string]: unknown;
  } | null;
  ok: boolean;
  publication_id: string;
}
/**
 * What one receives comes over the new connection of this `subscribe_move`: the old one is closed.
 *
 * `NotFound` says that the move was called off: the old connection goes on.
 */
export interface SubscribeMoved {
  id: number;
  move: number;
  type: "subscribe_moved";
}
export interface Subscribed {
  subscriptions: SubscribeItem[];
}
export interface Success {
  id: number;
  ok: true;
  result: {
    [k: string]: unknown;
  };
}
/**
 * Allow them again. What was published stays muted until its owner unmutes it.
 */
export interface Uncensor {
  id: number;
  /**
   * @minItems 1
   * @maxItems 1000
   */
  peer_ids: string[];
  /**
   * @maxItems 64
   */
  sources?: string[];
  type: "uncensor";
}
export interface Unmute {
  id: number;
  publication_id: string;
  type: "unmute";
}
export interface Unpublish {
  id: number;
  /**
   * @minItems 1
   * @maxItems 64
   */
  publication_ids: string[];
  type: "unpublish";
}
export interface Unsubscribe {
  id: number;
  /**
   * @minItems 1
   * @maxItems 256
   */
  publication_ids: string[];
  type: "unsubscribe";
}
/**
 * Change what others may while they are in, by a part of `permissions` as presets have it; needs
 * can_change_participant_permissions.
 */
export interface UpdatePermissions {
  id: number;
  /**
   * @minItems 1
   * @maxItems 1000
   */
  peer_ids: string[];
  permissions: {
    [k: string]: unknown;
  };
  type: "update_permissions";
}
/**
 * Another client token, before the present one is over: then the peer would be put out.
 */
export interface UpdateToken {
  id: number;
  token: string;
  type: "update_token";
}
/**
 * Instead of `Joined`: one is not in, but waits to be admitted. `admitted` or `session_left` follows;
 * until then only `leave` and `update_token` are taken, and a socket that is lost gives the place up.
 */
export interface Waiting {
  me: WaitingPeerInfo;
  meeting: MeetingInfo;
  peer_id: string;
  seq: number;
  ui: {
    [k: string]: unknown;
  };
}
/**
 * Result of `admit` and `deny`: the outcome per peer. One too many for the meeting goes on waiting.
 */
export interface WaitingActionDone {
  peers: WaitingActionItem[];
}
export interface WaitingActionItem {
  error: {
    [k: string]: unknown;
  } | null;
  ok: boolean;
  peer_id: string;
}
export interface ResultOf {
  admit: WaitingActionDone;
  deny: WaitingActionDone;
  get_ice_servers: IceServersGiven;
  get_stats: StatsGiven;
  join: Joined | Waiting;
  publish: Published;
  resume: Resumed;
  stage_cancel: StageActionDone;
  stage_deny: StageActionDone;
  stage_grant: StageActionDone;
  stage_invite: StageActionDone;
  stage_join: StageActionDone;
  stage_kick: StageActionDone;
  stage_leave: StageActionDone;
  stage_request: StageActionDone;
  subscribe: Subscribed;
}
