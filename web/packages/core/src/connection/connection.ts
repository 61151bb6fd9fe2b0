/**
 * The line to the server: one session held over as many sockets as it takes.
 *
 *                 open()                     socket lost
 *     disconnected ────> connecting ──> connected ──> reconnecting ──> connected   (resumed, or joined afresh)
 *           ^                │              │               │
 *           └── close() ─────┴──────────────┴───────────────┴──> failed            (attempts used up, or refused)
 *
 * A lost socket is resumed with the resume token and the number of the last event seen; the server replays
 * what was missed, so listeners see every event exactly once and in order. Where it has not kept all of that (it
 * was itself started again, say), the resume brings a snapshot of the state instead. When it will not resume, the
 * connection joins afresh and says so: everything known before is void then.
 *
 * Who has to wait to be admitted is connected, and joins when the event of that comes. Nothing of the waiting is
 * resumed: after a loss one joins again, and waits again or is in.
 *
 * Where another server has the meeting, the join is refused with that server's URL: the connection goes there, once per
 * attempt, and comes back there after a loss. If nobody answers there any more, it begins again where it was told to.
 */

import type { AnyEvent, EventFrame, Join, Joined, Resumed, Waiting } from "@rostrum/protocol";
import type { Clock, TimerId } from "../clock";
import { Emitter } from "../emitter";
import { socketUrl } from "../options";
import { ConnectionFailedError, ConnectionLostError, RostrumError } from "../errors";
import { backoffDelay, LINE_DEAD_BACKOFF_MS, MAX_RECONNECT_ATTEMPTS } from "./backoff";
import { parseFrame } from "./frames";
import { Keepalive } from "./keepalive";
import { isRepeatable, PendingRequests, type RequestBody } from "./requests";
import type { ResultOf, Signal } from "./results";
import type { Socket, SocketFactory } from "./socket";

/** An attempt that began so shortly ago may well succeed on a network that has just changed. */
export const YOUNG_ATTEMPT_MS = 500;
export const CONNECT_TIMEOUT_MS = 5_000;
/** Before the first join succeeded somebody is looking at a spinner: say so soon. */
export const MAX_FIRST_ATTEMPTS = 3;
/** Attempts at the server that one was sent to, before asking again where the meeting is. */
export const ATTEMPTS_WHERE_SENT = 3;

export type SocketState = "disconnected" | "connecting" | "connected" | "reconnecting" | "failed";
export type JoinDetails = Omit<Join, "id" | "type">;

export interface ConnectionOptions {
  url: string;
  openSocket: SocketFactory;
  clock: Clock;
  /** Asked at every join, so that a name set late is used. */
  joinDetails: () => JoinDetails;
}

export interface ConnectionEvents {
  stateChanged: [state: SocketState, attempt: number];
  /** A fresh join; `again` when it replaces one that could not be resumed. */
  joined: [joined: Joined, again: boolean];
  /** Not in, but to wait for a moderator; `joined` follows, or an event that one is turned away. */
  waiting: [waiting: Waiting];
  resumed: [resumed: Resumed];
  event: [event: AnyEvent];
  /** No more attempts: the reason. */
  failed: [error: Error];
}

export class Connection extends Emitter<ConnectionEvents> implements Signal {
  state: SocketState = "disconnected";

  private readonly requests: PendingRequests;
  private readonly keepalive: Keepalive;
  private socket: Socket | null = null;
  private url: string;
  private resumeToken: string | null = null;
  private lastSeq = 0;
  private hasJoined = false;
  private waits = false;
  /** Events that came before the answer to join or resume was handled. */
  private early: EventFrame[] | null = null;
  private retryTimer: TimerId | null = null;
  private retryNow: (() => void) | null = null;
  private attemptSince = 0;
  /** The attempt was given up by `hurry`: the next one follows at once. */
  private abandoned = false;
  /** Of a socket that is being opened. */
  private abandonAttempt: (() => void) | null = null;
  private waiting: { resolve: () => void; reject: (error: Error) => void }[] = [];

  constructor(private readonly options: ConnectionOptions) {
    super();
    this.url = options.url;
    this.requests = new PendingRequests(options.clock);
    this.keepalive = new Keepalive(options.clock, {
      ping: () => void this.send({ type: "ping" }).catch(() => undefined),
      // The way is gone, not the server: nobody else comes back at the same moment.
      dead: () => this.handleClose(LINE_DEAD_BACKOFF_MS),
    });
  }

  /** Connects and joins. Rejects with the server's reason, or ConnectionFailedError. */
  async open(): Promise<void> {
    if (this.state !== "disconnected" && this.state !== "failed") return;
    this.forget();
    this.setState("connecting", 0);
    await this.connectRepeatedly(MAX_FIRST_ATTEMPTS);
  }

  /** Sends a request; while the socket is being resumed it waits for that. What is repeatable survives its socket. */
  async request<Body extends RequestBody>(body: Body): Promise<ResultOf<Body["type"]>> {
    for (;;) {
      if (this.state === "reconnecting") await this.untilConnected();
      if (this.state !== "connected") throw new ConnectionLostError("Not connected to the meeting.");
      try {
        return (await this.send(body)) as ResultOf<Body["type"]>;
      } catch (error) {
        if (!(error instanceof ConnectionLostError) || !isRepeatable(body)) throw error;
      }
    }
  }

  /** Ends it here; nothing is sent and no event follows but the state. */
  close(): void {
    this.dropSocket(new ConnectionLostError("The meeting was left."));
    this.cancelRetry();
    this.forget();
    this.releaseWaiting(new ConnectionLostError("The meeting was left."));
    this.setState("disconnected", 0);
  }

  /** The network may be back: do not sit out the backoff, nor an attempt that began before. */
  hurry(): void {
    this.retryNow?.();
    if (this.state !== "reconnecting" || this.options.clock.now() - this.attemptSince < YOUNG_ATTEMPT_MS) return;
    this.abandoned = this.abandonAttempt !== null;
    this.abandonAttempt?.();
  }

  /** Something else went silent: see at once whether this line is alive, and resume over another if it is not. */
  probe(limit?: number): void {
    if (this.state === "connected") this.keepalive.probe(limit);
  }

  /** Gives the session up and joins afresh, for when its media cannot be repaired. */
  rejoin(): void {
    if (this.state !== "connected") return;
    this.resumeToken = null;
    // Or the others would see the old peer until its time to resume is over.
    this.send({ type: "leave" }).catch(() => undefined);
    this.handleClose();
  }

  private async connectRepeatedly(maxAttempts: number, firstWithin?: number): Promise<void> {
    let failure: Error = new ConnectionFailedError();
    for (let attempt = 0; attempt < maxAttempts; attempt++) {
      if (attempt > 0 || this.state === "reconnecting") await this.backOff(attempt, firstWithin);
      if (this.state === "disconnected") throw new ConnectionLostError("The meeting was left.");
      if (attempt >= ATTEMPTS_WHERE_SENT) this.url = this.options.url;
      try {
        await this.connectOnce();
        return;
      } catch (error) {
        this.dropSocket();
        // Who was in, or waited, and meets a full server goes on trying.
        const later = isRefusal(error) && error.retryAfter !== null && (this.hasJoined || this.waits);
        if (isRefusal(error) && !later) {
          failure = error;
          break;
        }
      }
    }
    if (this.state === "disconnected") throw new ConnectionLostError("The meeting was left.");
    this.forget();
    this.setState("failed", 0);
    this.releaseWaiting(failure);
    this.emit("failed", failure);
    throw failure;
  }

  private async connectOnce(): Promise<void> {
    await this.openSocket();
    if (this.resumeToken !== null && (await this.resume(this.resumeToken))) return;
    if (this.socket === null) await this.openSocket();
    try {
      await this.join();
    } catch (error) {
      if (!(error instanceof RostrumError) || error.url === null) throw error;
      await this.joinAt(error.url);
    }
  }

  /** Another server has the meeting. */
  private async joinAt(url: string): Promise<void> {
    this.dropSocket();
    this.url = socketUrl(url);
    try {
      await this.openSocket();
      await this.join();
    } catch (error) {
      this.url = this.options.url;
      // Sent on again, where two servers are not of one mind yet: ask once more, a little later.
      throw error instanceof RostrumError && error.url !== null ? new ConnectionFailedError(error.message) : error;
    }
  }

  private async join(): Promise<void> {
    const answer = (await this.send({ type: "join", ...this.options.joinDetails() })) as Joined | Waiting;
    this.lastSeq = answer.seq;
    if (this.hasJoined) this.releaseWaiting(new ConnectionLostError());
    this.becomeConnected();
    if (!("session_id" in answer)) {
      this.waits = true;
      this.emit("waiting", answer);
    } else {
      this.handleIn(answer);
    }
    this.releaseEarlyEvents();
  }

  private handleIn(joined: Joined): void {
    const again = this.hasJoined;
    this.resumeToken = joined.resume_token;
    this.hasJoined = true;
    this.waits = false;
    this.emit("joined", joined, again);
  }

  /** False when the server will not take the session up again: join on a new socket then. */
  private async resume(resumeToken: string): Promise<boolean> {
    let resumed: Resumed;
    try {
      resumed = (await this.send({
        type: "resume",
        resume_token: resumeToken,
        last_seq: this.lastSeq,
        snapshot: true,
      })) as Resumed;
    } catch (error) {
      if (!isRefusal(error)) throw error;
      this.resumeToken = null;
      this.dropSocket();
      return false;
    }
    this.resumeToken = resumed.resume_token;
    if (resumed.snapshot) this.lastSeq = resumed.seq;
    this.becomeConnected();
    this.emit("resumed", resumed);
    this.releaseEarlyEvents();
    return true;
  }

  private becomeConnected(): void {
    this.setState("connected", 0);
    this.keepalive.start();
    this.releaseWaiting(null);
  }

  private openSocket(): Promise<void> {
    const socket = this.options.openSocket(this.url);
    this.socket = socket;
    this.early = [];
    return new Promise((resolve, reject) => {
      const timer = this.options.clock.setTimeout(() => {
        socket.close();
        reject(new ConnectionFailedError("The server did not answer in time."));
      }, CONNECT_TIMEOUT_MS);
      this.abandonAttempt = () => socket.onclose?.();
      this.attemptSince = this.options.clock.now();
      socket.onopen = () => {
        this.options.clock.clearTimeout(timer);
        this.abandonAttempt = null;
        socket.onmessage = (text) => this.handleText(text);
        resolve();
      };
      socket.onclose = () => {
        this.options.clock.clearTimeout(timer);
        this.abandonAttempt = null;
        reject(new ConnectionFailedError());
        this.requests.failAll();
        if (this.socket === socket) this.handleClose();
      };
    });
  }

  private handleText(text: string): void {
    this.keepalive.heard();
    const frame = parseFrame(text);
    if (frame.kind === "response") this.requests.handleResponse(frame.response);
    else if (frame.kind === "event") this.handleEvent(frame.frame);
  }

  private handleEvent(frame: EventFrame): void {
    if (this.early !== null) {
      this.early.push(frame);
      return;
    }
    if (frame.seq <= this.lastSeq) return;
    if (frame.seq > this.lastSeq + 1) {
      // Something was lost between the server's queue and here: have it replayed.
      this.handleClose();
      return;
    }
    this.lastSeq = frame.seq;
    if (frame.event.type === "admitted") this.handleIn(frame.event.joined);
    else this.emit("event", frame.event);
  }

  private releaseEarlyEvents(): void {
    const frames = this.early ?? [];
    this.early = null;
    for (const frame of frames) this.handleEvent(frame);
  }

  private handleClose(firstWithin?: number): void {
    const wasConnected = this.state === "connected";
    this.dropSocket();
    if (!wasConnected) return;
    this.setState("reconnecting", 0);
    // The failure is told by the event and by the requests that waited.
    this.connectRepeatedly(MAX_RECONNECT_ATTEMPTS, firstWithin).catch(() => undefined);
  }

  private dropSocket(reason?: Error): void {
    const socket = this.socket;
    this.socket = null;
    this.keepalive.stop();
    if (socket !== null) {
      socket.onclose = socket.onmessage = socket.onopen = null;
      socket.close();
    }
    this.requests.failAll(reason);
  }

  private send(body: RequestBody): Promise<unknown> {
    const socket = this.socket;
    if (socket === null) return Promise.reject(new ConnectionLostError());
    return this.requests.start(body, (text) => socket.send(text));
  }

  private backOff(attempt: number, firstWithin?: number): Promise<void> {
    if (this.abandoned) {
      this.abandoned = false;
      return Promise.resolve();
    }
    const random = this.options.clock.random();
    const delay = attempt === 0 && firstWithin !== undefined ? random * firstWithin : backoffDelay(attempt, random);
    if (this.state === "reconnecting") this.setState("reconnecting", attempt + 1);
    return new Promise((resolve) => {
      const done = () => {
        this.cancelRetry();
        resolve();
      };
      this.retryTimer = this.options.clock.setTimeout(done, delay);
      this.retryNow = done;
    });
  }

  private cancelRetry(): void {
    if (this.retryTimer !== null) this.options.clock.clearTimeout(this.retryTimer);
    this.retryTimer = null;
    this.retryNow = null;
  }

  private untilConnected(): Promise<void> {
    return new Promise((resolve, reject) => this.waiting.push({ resolve, reject }));
  }

  private releaseWaiting(error: Error | null): void {
    const waiting = this.waiting;
    this.waiting = [];
    for (const waiter of waiting) {
      if (error === null) waiter.resolve();
      else waiter.reject(error);
    }
  }

  private forget(): void {
    this.url = this.options.url;
    this.resumeToken = null;
    this.lastSeq = 0;
    this.hasJoined = false;
    this.waits = false;
    this.early = null;
  }

  private setState(state: SocketState, attempt: number): void {
    if (state === this.state && attempt === 0) return;
    this.state = state;
    this.emit("stateChanged", state, attempt);
  }
}

/** The server understood and said no, as opposed to not being there. */
function isRefusal(error: unknown): error is RostrumError {
  return (
    error instanceof RostrumError &&
    !(error instanceof ConnectionLostError) &&
    !(error instanceof ConnectionFailedError) &&
    error.name !== "RequestTimeout"
  );
}
