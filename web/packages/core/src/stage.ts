/**
 * `meeting.stage`: one's own standing on the stage, and a host's means to fill it.
 *
 *     OFF_STAGE ──requestAccess──> REQUESTED_TO_JOIN_STAGE ──(host grants)──> ACCEPTED_TO_JOIN_STAGE ──join──> ON_STAGE
 *         ^                              │ cancel, deny                          │ leave (decline)          │ leave, kick
 *         └──────────────────────────────┴───────────────────────────────────────┴──────────────────────────┘
 *
 * The server decides; this mirrors what it says. A refused action rejects with a StageError whose `name`
 * tells the rule.
 */

import type {
  StageActionItem,
  StageInfo,
  StageRequestInfo,
  StageStatusChanged,
  StageStatusName,
} from "@rostrum/protocol";
import type { RequestBody } from "./connection/requests";
import type { Signal } from "./connection/results";
import { Emitter } from "./emitter";
import { asStageError, errorFromServer } from "./errors";
import type { Participant } from "./participant";
import type { ParticipantMap } from "./participantMap";
import type { ProduceKind } from "./preset";

export interface StageAccessRequest {
  peerId: string;
  userId: string;
  displayName: string;
}

export interface StageEvents {
  stageStatusUpdate: [status: StageStatusName, previous: StageStatusName];
  /** To hosts: the pending requests, oldest first. */
  stageAccessRequestUpdate: [requests: StageAccessRequest[]];
  newStageRequest: [update: { count: number; requests: StageAccessRequest[] }];
  /** One's request was accepted, or one was invited: `join()` or `leave()` next. */
  stageRequestApproved: [];
  stageRequestRejected: [];
  removedFromStage: [];
  peerStageStatusUpdate: [participant: Participant, status: StageStatusName, previous: StageStatusName];
}

type StageActionType = Extract<RequestBody["type"], `stage_${string}`>;
type HostActionType = "stage_grant" | "stage_invite" | "stage_deny" | "stage_kick";

const UNKNOWN: StageInfo = {
  enabled: false,
  status: "OFF_STAGE",
  access: "NOT_ALLOWED",
  is_host: false,
  can_produce: {},
};

export class Stage extends Emitter<StageEvents> {
  accessRequests: StageAccessRequest[] = [];
  private info: StageInfo = UNKNOWN;

  constructor(
    private readonly signal: Signal,
    private readonly participants: ParticipantMap,
  ) {
    super();
  }

  get status(): StageStatusName {
    return this.info.status;
  }

  /** Whether this meeting has a stage at all; without one everybody is on it. */
  get enabled(): boolean {
    return this.info.enabled;
  }

  get access(): "ALLOWED" | "NOT_ALLOWED" | "CAN_REQUEST" {
    return this.info.access;
  }

  /** May accept requests, invite and remove. */
  get isHost(): boolean {
    return this.info.is_host;
  }

  /** Remote peers that are not on the stage. */
  get viewers(): Participant[] {
    return this.participants.toArray().filter((participant) => participant.stageStatus !== "ON_STAGE");
  }

  /** May this kind be published in the present status? */
  canProduce(kind: ProduceKind): boolean {
    return this.info.can_produce[kind] === true;
  }

  getAccessRequests(): { stageRequests: StageAccessRequest[] } {
    return { stageRequests: this.accessRequests };
  }

  requestAccess(): Promise<void> {
    return this.act({ type: "stage_request" });
  }

  cancelRequestAccess(): Promise<void> {
    return this.act({ type: "stage_cancel" });
  }

  join(): Promise<void> {
    return this.act({ type: "stage_join" });
  }

  /** Leaves the stage, or declines an invitation. */
  leave(): Promise<void> {
    return this.act({ type: "stage_leave" });
  }

  grantAccess(peerIds: string[]): Promise<StageActionItem[]> {
    return this.actOn("stage_grant", peerIds);
  }

  denyAccess(peerIds: string[]): Promise<StageActionItem[]> {
    return this.actOn("stage_deny", peerIds);
  }

  inviteToStage(peerIds: string[]): Promise<StageActionItem[]> {
    return this.actOn("stage_invite", peerIds);
  }

  kick(peerIds: string[]): Promise<StageActionItem[]> {
    return this.actOn("stage_kick", peerIds);
  }

  // --- what the meeting feeds in ---------------------------------------------------------------------

  handleInfo(info: StageInfo): void {
    const previous = this.info.status;
    this.info = info;
    if (!info.is_host && this.accessRequests.length > 0) this.setRequests([]);
    if (previous !== info.status) this.emit("stageStatusUpdate", info.status, previous);
  }

  handleRequests(requests: StageRequestInfo[]): void {
    const known = new Set(this.accessRequests.map((request) => request.peerId));
    this.setRequests(
      requests.map(({ peer_id, participant_id, name }) => ({
        peerId: peer_id,
        userId: participant_id,
        displayName: name,
      })),
    );
    const fresh = this.accessRequests.filter((request) => !known.has(request.peerId));
    if (fresh.length > 0) this.emit("newStageRequest", { count: fresh.length, requests: fresh });
  }

  handleOwnStatus(event: StageStatusChanged): void {
    this.setStatus(event.status);
    if (event.action === "grant") this.emit("stageRequestApproved");
    else if (event.action === "deny") this.emit("stageRequestRejected");
    else if (event.action === "kick") this.emit("removedFromStage");
  }

  handlePeerStatus(event: StageStatusChanged): void {
    const participant = this.participants.get(event.peer_id);
    if (participant === undefined) return;
    participant.handleStageStatus(event.status);
    this.emit("peerStageStatusUpdate", participant, event.status, event.previous);
  }

  handleCleared(): void {
    this.accessRequests = [];
    this.handleInfo(UNKNOWN);
  }

  private async act(body: { type: Exclude<StageActionType, HostActionType> }): Promise<void> {
    try {
      const { status } = await this.signal.request(body);
      this.setStatus(status);
    } catch (error) {
      throw asStageError(error);
    }
  }

  /** The outcome for each peer; rejects when there was none for whom it worked. */
  private async actOn(type: HostActionType, peerIds: string[]): Promise<StageActionItem[]> {
    try {
      const { peers } = await this.signal.request({ type, peer_ids: peerIds });
      const refused = peers.find((peer) => !peer.ok)?.error;
      if (refused && peers.every((peer) => !peer.ok)) throw errorFromServer(refused as never);
      return peers;
    } catch (error) {
      throw asStageError(error);
    }
  }

  private setStatus(status: StageStatusName): void {
    const previous = this.info.status;
    if (previous === status) return;
    this.info = { ...this.info, status };
    this.emit("stageStatusUpdate", status, previous);
  }

  private setRequests(requests: StageAccessRequest[]): void {
    this.accessRequests = requests;
    this.emit("stageAccessRequestUpdate", requests);
  }
}
