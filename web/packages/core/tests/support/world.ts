/** A small world for tests: time that moves when told to, and a server whose every line is written here. */

import type { AnyEvent, IceServer, Joined, PeerInfo, Snapshot, StageInfo } from "@rostrum/protocol";
import type { Clock } from "../../src/clock";
import type { Socket } from "../../src/connection/socket";

export class ManualClock implements Clock {
  private time = 0;
  private nextId = 1;
  private timers: { id: number; at: number; callback: () => void }[] = [];
  /** What `random` gives; 1 makes every backoff as long as it can be. */
  chance = 1;

  now(): number {
    return this.time;
  }

  random(): number {
    return this.chance;
  }

  setTimeout(callback: () => void, milliseconds: number): number {
    const id = this.nextId++;
    this.timers.push({ id, at: this.time + milliseconds, callback });
    return id;
  }

  clearTimeout(timer: unknown): void {
    this.timers = this.timers.filter(({ id }) => id !== timer);
  }

  /** Lets time pass, timers in order, with all that they promise. */
  async advance(milliseconds: number): Promise<void> {
    const end = this.time + milliseconds;
    for (;;) {
      const due = this.timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (due === undefined) break;
      this.time = due.at;
      this.clearTimeout(due.id);
      due.callback();
      await settle();
    }
    this.time = end;
    await settle();
  }
}

/** Lets every promise that can go on go on. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 30; turn++) await Promise.resolve();
}

export interface SentRequest {
  id: number;
  type: string;
  [field: string]: unknown;
}

export class FakeSocket implements Socket {
  onopen: (() => void) | null = null;
  onmessage: ((text: string) => void) | null = null;
  onclose: (() => void) | null = null;
  readonly sent: SentRequest[] = [];
  closed = false;

  constructor(
    private readonly onRequest: (socket: FakeSocket, request: SentRequest) => void,
    readonly url = "",
  ) {}

  send(text: string): void {
    const request = JSON.parse(text) as SentRequest;
    this.sent.push(request);
    this.onRequest(this, request);
  }

  close(): void {
    this.closed = true;
  }

  /** The network takes the socket away. */
  drop(): void {
    this.closed = true;
    this.onclose?.();
  }

  answer(request: SentRequest, result: object = {}): void {
    this.receive({ id: request.id, ok: true, result });
  }

  refuse(request: SentRequest, name: string, code = 2001, rest: object = {}): void {
    this.receive({ id: request.id, ok: false, error: { code, name, message: `${name} it is`, ...rest } });
  }

  event(seq: number, event: AnyEvent): void {
    this.receive({ seq, event });
  }

  receive(frame: object): void {
    this.onmessage?.(JSON.stringify(frame));
  }
}

type Handler = (socket: FakeSocket, request: SentRequest) => void;

/** Opens sockets and answers by handler; a request without one stays unanswered. */
export class FakeServer {
  readonly sockets: FakeSocket[] = [];
  reachable = true;
  /** URLs at which nobody answers. */
  readonly gone = new Set<string>();
  /** Neither opens nor refuses. */
  silent = false;
  joined: Joined = joinedResult();
  resumedIceServers: IceServer[] = [];
  /** Instead of the events that a resume would replay. */
  resumedSnapshot: Snapshot | null = null;
  readonly handlers: Record<string, Handler> = {
    join: (socket, request) => socket.answer(request, this.joined),
    resume: (socket, request) =>
      socket.answer(request, {
        peer_id: "peer_me",
        session_id: "ses_1",
        resume_token: "second",
        replayed: 0,
        seq: request["last_seq"],
        snapshot: this.resumedSnapshot,
        ice_servers: this.resumedIceServers,
      }),
    ping: (socket, request) => socket.answer(request),
    leave: (socket, request) => socket.answer(request),
  };

  readonly open = (url = ""): FakeSocket => {
    const socket = new FakeSocket((from, request) => this.handlers[request.type]?.(from, request), url);
    this.sockets.push(socket);
    queueMicrotask(() => {
      if (this.silent) return;
      if (this.reachable && !this.gone.has(url)) socket.onopen?.();
      else socket.drop();
    });
    return socket;
  };

  get socket(): FakeSocket {
    return this.sockets[this.sockets.length - 1]!;
  }

  requests(type: string): SentRequest[] {
    return this.sockets.flatMap((socket) => socket.sent).filter((request) => request.type === type);
  }
}

export function peerInfo(id: string, overrides: Partial<PeerInfo> = {}): PeerInfo {
  return {
    peer_id: id,
    participant_id: `pt_${id}`,
    custom_participant_id: null,
    name: `Name of ${id}`,
    picture: null,
    preset_name: "group_call_host",
    stage_status: "ON_STAGE",
    device: "desktop",
    connection: "connected",
    joined_at: "2026-01-01T00:00:00Z",
    censored: [],
    ...overrides,
  };
}

export function stageInfo(overrides: Partial<StageInfo> = {}): StageInfo {
  return { enabled: true, status: "OFF_STAGE", access: "CAN_REQUEST", is_host: false, can_produce: {}, ...overrides };
}

export function joinedResult(overrides: Partial<Joined> = {}): Joined {
  const allowed = { can_produce: "ALLOWED" };
  return {
    peer_id: "peer_me",
    session_id: "ses_1",
    resume_token: "first",
    resume_within: 30,
    seq: 0,
    me: peerInfo("peer_me"),
    meeting: { meeting_id: "mtg_1", title: "A meeting", view_type: "GROUP_CALL", ends_at: null },
    permissions: { media: { audio: allowed, video: allowed, screenshare: allowed }, kick_participant: true },
    config: {},
    ui: {},
    stage: stageInfo({ enabled: false, status: "ON_STAGE", access: "ALLOWED" }),
    peers: [],
    publications: [],
    stage_requests: [],
    waiting: [],
    ice_servers: [],
    ...overrides,
  };
}

export function snapshotOf(overrides: Partial<Snapshot> = {}): Snapshot {
  const { me, meeting, permissions, config, ui } = joinedResult();
  const empty = { peers: [], publications: [], stage_requests: [], waiting: [], subscriptions: [] };
  const stage = stageInfo({ enabled: false, status: "ON_STAGE", access: "ALLOWED" });
  return { me, meeting, permissions, config, ui, stage, ...empty, publishes: true, subscribes: true, ...overrides };
}
