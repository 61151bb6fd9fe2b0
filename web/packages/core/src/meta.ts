/** `meeting.meta`: the meeting itself and how well we are connected to it. */

import type { Joined, Waiting } from "@rostrum/protocol";
import type { SocketState } from "./connection/connection";
import { Emitter } from "./emitter";

export type MediaTransport = "producing" | "consuming";

export interface SocketUpdate {
  state: SocketState;
  /** Connected again after having been lost. */
  reconnected: boolean;
  /** While reconnecting: which attempt this is, from 1. */
  reconnectionAttempt: number;
}

export interface MetaEvents {
  socketConnectionUpdate: [update: SocketUpdate];
  mediaConnectionUpdate: [update: { transport: MediaTransport; state: RTCPeerConnectionState }];
}

export class Meta extends Emitter<MetaEvents> {
  meetingId = "";
  meetingTitle: string | null = null;
  sessionId = "";
  viewType = "GROUP_CALL";
  /** The preset's user interface settings as the server sends them. */
  ui: Record<string, unknown> = {};
  socketState: SocketUpdate = { state: "disconnected", reconnected: false, reconnectionAttempt: 0 };
  mediaState: { send: RTCPeerConnectionState; recv: RTCPeerConnectionState } = { send: "new", recv: "new" };

  // --- what the meeting feeds in ---------------------------------------------------------------------

  handleJoined(joined: Joined): void {
    this.handleMeeting(joined);
    this.sessionId = joined.session_id;
  }

  handleMeeting({ meeting, ui }: Joined | Waiting): void {
    this.meetingId = meeting.meeting_id;
    this.meetingTitle = meeting.title;
    this.viewType = meeting.view_type;
    this.ui = ui;
  }

  handleSocketState(state: SocketState, reconnectionAttempt: number): void {
    const reconnected = state === "connected" && this.socketState.state === "reconnecting";
    this.socketState = { state, reconnected, reconnectionAttempt };
    this.emit("socketConnectionUpdate", this.socketState);
  }

  handleMediaState(transport: MediaTransport, state: RTCPeerConnectionState): void {
    this.mediaState = { ...this.mediaState, [transport === "producing" ? "send" : "recv"]: state };
    this.emit("mediaConnectionUpdate", { transport, state });
  }
}
