/** A server of one page: answers the SDK's requests by a script, and then sends a scene's events. */

import type { Socket } from "@rostrum/core";
import type {
  AnyEvent,
  Joined,
  PeerInfo,
  PublicationInfo,
  StageStatusName,
  Waiting,
  WaitingPeerInfo,
} from "@rostrum/protocol";

const NAMES = [
  "Amara Okafor", "Jonas Lindqvist", "Priya Raman", "Marta Kowalczyk", "Diego Fernández", "Yuki Tanaka",
  "Chloé Martin", "Samir Haddad", "Ingrid Solberg", "Tomasz Nowak", "Leilani Kahale", "Oluwaseun Adebayo-Williams",
  "Ana", "Noah Schmidt", "Fatima Zahra", "Liam O’Brien", "Mei Lin", "Viktor Petrov", "Sofia Rossi", "Ben Carter",
  "Hana Kim", "Lucas Silva", "Nadia Rahman", "Erik Berg", "Zoe Papadopoulou", "Omar Farouk", "Ivy Chen", "Paul Meyer",
];

const SEALED = ["peer_0", "peer_3", "peer_5"];
const STAGED = ["host", "viewer", "accepted"];

export class ScriptedServer {
  private socket: Socket | null = null;
  private seq = 0;
  private readonly peers: PeerInfo[];
  private publications: PublicationInfo[];

  constructor(
    private readonly scene: string,
    people: number,
  ) {
    const watchers = STAGED.includes(scene) ? 6 : 0;
    this.peers = Array.from({ length: people - 1 + watchers }, (_, index) => peer(index, statusOf(index, people)));
    this.publications = this.peers.flatMap((who, index) => publicationsOf(who, index));
    if (scene === "encrypted") this.publications = this.publications.map((one) => ({ ...one, encrypted: SEALED.includes(one.peer_id) }));
    if (scene === "screen") this.publications.push(publication(this.peers[1]!, "screen", "video", false));
  }

  open(): Socket {
    const socket: Socket = {
      onopen: null,
      onmessage: null,
      onclose: null,
      send: (text) => this.handle(JSON.parse(text) as { id: number; type: string }),
      close: () => undefined,
    };
    this.socket = socket;
    if (this.seq === 0) queueMicrotask(() => socket.onopen?.());
    return socket;
  }

  /** What happens in the scene after the join. */
  play(): void {
    const { peers } = this;
    const speaker = peers[2] ?? peers[0];
    if (speaker) {
      const speakers = [{ peer_id: speaker.peer_id, publication_id: "x", level: 30 }];
      this.event({ type: "speakers", speakers, active: speaker.peer_id });
    }
    if (this.scene === "host") this.event({ type: "stage_requests", requests: peers.slice(-3).map(requestOf) });
    if (this.scene === "accepted") {
      const status = { peer_id: "peer_me", status: "ACCEPTED_TO_JOIN_STAGE", previous: "OFF_STAGE" } as const;
      this.event({ type: "stage_status", ...status, action: "grant", by: peers[0]!.peer_id });
    }
    if (this.scene === "reconnecting") {
      this.event({ type: "peer_updated", peer: { ...peers[1]!, connection: "detached" } });
      setTimeout(() => this.socket?.onclose?.(), 300);
    }
    if (this.scene === "knocking") {
      const waiting = Number(new URLSearchParams(location.search).get("waiting") ?? "1");
      for (let index = 0; index < waiting; index++) this.event({ type: "peer_waiting", peer: waitingPeer(18 + index) });
    }
    if (this.scene === "rejected") this.event({ type: "session_left", reason: "rejected" });
    if (this.scene === "ended") this.event({ type: "session_left", reason: "ended" });
  }

  private handle(request: { id: number; type: string }): void {
    const result = this.resultOf(request);
    queueMicrotask(() => {
      this.socket?.onmessage?.(JSON.stringify({ id: request.id, ok: true, result }));
      if (request.type === "set_view") this.offer();
    });
  }

  private resultOf(request: { type: string }): object {
    switch (request.type) {
      case "join":
        return this.scene === "waiting" || this.scene === "rejected" ? this.waiting() : this.joined();
      case "publish":
        return { answer: "", publications: [] };
      case "subscribe":
        return { subscriptions: [] };
      case "stage_request":
        return { status: "REQUESTED_TO_JOIN_STAGE", peers: [] };
      case "stage_join":
        return { status: "ON_STAGE", peers: [] };
      case "stage_leave":
      case "stage_cancel":
        return { status: "OFF_STAGE", peers: [] };
      default:
        return { peers: [] };
    }
  }

  private waiting(): Waiting {
    const { meeting, ui, me } = this.joined();
    const own = { ...waitingPeer(0), peer_id: me.peer_id, name: me.name };
    return { me: own, peer_id: me.peer_id, seq: 0, meeting, ui };
  }

  private joined(): Joined {
    const staged = STAGED.includes(this.scene);
    const host = this.scene !== "viewer" && this.scene !== "accepted";
    const status: StageStatusName = host ? "ON_STAGE" : "OFF_STAGE";
    const canProduce = { can_produce: host ? "ALLOWED" : "CAN_REQUEST" };
    return {
      peer_id: "peer_me",
      session_id: "ses_1",
      resume_token: "resume",
      resume_within: 30,
      seq: 0,
      me: { ...peer(27, status), peer_id: "peer_me", name: "Robin Weber" },
      meeting: { meeting_id: "mtg_1", title: "Autumn town hall", view_type: staged ? "WEBINAR" : "GROUP_CALL", ends_at: null },
      permissions: {
        media: { audio: canProduce, video: canProduce, screenshare: canProduce },
        kick_participant: host,
        disable_participant_audio: host,
        disable_participant_video: host,
      },
      config: { max_video_streams: { mobile: 6, desktop: 25 } },
      ui: {},
      stage: { enabled: staged, status, access: host ? "ALLOWED" : "CAN_REQUEST", is_host: host, can_produce: {} },
      peers: this.peers,
      publications: this.publications,
      stage_requests: [],
      waiting: [],
      ice_servers: [],
    };
  }

  private offer(): void {
    const videos = this.publications.filter(({ kind, muted, encrypted }) => kind === "video" && !muted && !encrypted);
    const nameOf = (id: string) => this.peers.find((each) => each.peer_id === id)?.name ?? "";
    const lines = videos.map(({ peer_id, source }, index) => {
      const wide = source === "screen";
      return [String(index), wide ? "Quarterly numbers" : nameOf(peer_id), index, wide];
    });
    const mids = videos.map(({ publication_id, peer_id, source, kind }, index) => {
      return { mid: String(index), publication_id, peer_id, source, kind };
    });
    this.event({ type: "subscribe_offer", moved: null, version: 1, offer: JSON.stringify(lines), mids });
  }

  private event(event: AnyEvent): void {
    this.socket?.onmessage?.(JSON.stringify({ seq: ++this.seq, event }));
  }
}

function statusOf(index: number, people: number): StageStatusName {
  return index < people - 1 ? "ON_STAGE" : "OFF_STAGE";
}

function peer(index: number, status: StageStatusName): PeerInfo {
  return {
    peer_id: `peer_${index}`,
    participant_id: `pt_${index}`,
    custom_participant_id: null,
    name: NAMES[index % NAMES.length]!,
    picture: null,
    preset_name: "group_call_host",
    stage_status: status,
    device: "desktop",
    connection: "connected",
    censored: [],
    joined_at: "2026-11-21T01:00:00Z",
  };
}

function waitingPeer(index: number): WaitingPeerInfo {
  return {
    peer_id: `peer_waiting_${index}`,
    participant_id: `pt_waiting_${index}`,
    custom_participant_id: null,
    name: NAMES[index % NAMES.length]!,
    picture: null,
    since: "2026-11-21T01:00:00Z",
  };
}

function publicationsOf(who: PeerInfo, index: number): PublicationInfo[] {
  if (who.stage_status !== "ON_STAGE") return [];
  const sound = publication(who, "microphone", "audio", index % 3 === 1);
  return index % 4 === 3 ? [sound] : [sound, publication(who, "camera", "video", false)];
}

function publication(who: PeerInfo, source: string, kind: "audio" | "video", muted: boolean): PublicationInfo {
  return {
    publication_id: `pub_${who.peer_id}_${source}`,
    peer_id: who.peer_id,
    source,
    kind,
    codec: kind === "video" ? "video/VP8" : "audio/opus",
    encodings: 3,
    muted,
    encrypted: false,
    muted_by: muted ? "owner" : null,
  };
}

function requestOf(who: PeerInfo): { peer_id: string; participant_id: string; name: string } {
  return { peer_id: who.peer_id, participant_id: who.participant_id, name: who.name };
}
