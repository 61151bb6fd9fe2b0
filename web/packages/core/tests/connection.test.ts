import type { AnyEvent } from "@rostrum/protocol";
import { beforeEach, describe, expect, it } from "vitest";
import { LINE_DEAD_BACKOFF_MS } from "../src/connection/backoff";
import { Connection, type SocketState } from "../src/connection/connection";
import { SHORT_PROBE_LIMIT_MS } from "../src/connection/keepalive";
import { ConnectionFailedError, ConnectionLostError, RostrumError } from "../src/errors";
import { FakeServer, joinedResult, ManualClock, settle } from "./support/world";

let clock: ManualClock;
let server: FakeServer;
let connection: Connection;
let events: AnyEvent[];
let states: SocketState[];
let joins: boolean[];

beforeEach(() => {
  clock = new ManualClock();
  server = new FakeServer();
  events = [];
  states = [];
  joins = [];
  connection = new Connection({
    url: "ws://server/v2/ws",
    openSocket: server.open,
    clock,
    joinDetails: () => ({ token: "token" }),
  });
  connection.on("event", (event) => events.push(event));
  connection.on("stateChanged", (state) => states.push(state));
  connection.on("joined", (_joined, again) => joins.push(again));
});

const left = (peerId: string): AnyEvent => ({ type: "peer_left", peer_id: peerId, reason: "left" });

describe("joining", () => {
  it("sends the token first and is connected when the server answers", async () => {
    await connection.open();
    expect(server.socket.sent[0]).toMatchObject({ type: "join", token: "token" });
    expect(states).toEqual(["connecting", "connected"]);
    expect(joins).toEqual([false]);
  });

  it("rejects with the server's reason and does not try again", async () => {
    server.handlers["join"] = (socket, request) => socket.refuse(request, "InvalidToken", 4);
    await expect(connection.open()).rejects.toMatchObject({ name: "InvalidToken", code: 4 });
    await clock.advance(60_000);
    expect(server.sockets).toHaveLength(1);
    expect(connection.state).toBe("failed");
  });

  it("gives up after three attempts when nobody is there", async () => {
    server.reachable = false;
    const opened = connection.open();
    const outcome = expect(opened).rejects.toBeInstanceOf(ConnectionFailedError);
    await clock.advance(60_000);
    await outcome;
    expect(server.sockets).toHaveLength(3);
  });

  it("does not wait longer than five seconds for a socket to open", async () => {
    server.silent = true;
    connection.open().catch(() => undefined);
    await clock.advance(4_999);
    expect(server.socket.closed).toBe(false);
    await clock.advance(1);
    expect(server.socket.closed).toBe(true);
  });
});

describe("a meeting that another server has", () => {
  const HERE = "ws://server/v2/ws";
  const THERE = "wss://other.example.org/s/b/v2/ws";
  const urls = () => server.sockets.map(({ url }) => url);

  beforeEach(() => {
    server.handlers["join"] = (socket, request) => {
      if (socket.url === THERE) socket.answer(request, server.joined);
      else socket.refuse(request, "Misdirected", 9421, { url: "https://other.example.org/s/b/" });
    };
  });

  it("is joined there, and nobody notices", async () => {
    await connection.open();
    expect(urls()).toEqual([HERE, THERE]);
    expect(server.sockets[0]!.closed).toBe(true);
    expect(states).toEqual(["connecting", "connected"]);
    expect(joins).toEqual([false]);
  });

  it("is resumed there after a loss", async () => {
    await connection.open();
    server.socket.drop();
    await clock.advance(1_000);
    expect(urls()).toEqual([HERE, THERE, THERE]);
    expect(server.requests("resume")).toHaveLength(1);
    expect(connection.state).toBe("connected");
  });

  it("is looked for again where nobody answers there any more", async () => {
    await connection.open();
    server.gone.add(THERE);
    server.handlers["resume"] = (socket, request) => socket.refuse(request, "ResumeRefused", 9410);
    server.handlers["join"] = (socket, request) => socket.answer(request, server.joined);
    server.socket.drop();
    await clock.advance(30_000);
    expect(urls()).toEqual([HERE, THERE, THERE, THERE, THERE, HERE, HERE]);
    expect(connection.state).toBe("connected");
    expect(joins).toEqual([false, true]);
  });

  it("is followed once per attempt: two servers that send one to each other keep nobody running", async () => {
    server.handlers["join"] = (socket, request) =>
      socket.refuse(request, "Misdirected", 9421, { url: "https://other.example.org/s/b" });
    const outcome = expect(connection.open()).rejects.toBeInstanceOf(ConnectionFailedError);
    await settle();
    await clock.advance(60_000);
    await outcome;
    expect(urls()).toEqual([HERE, THERE, HERE, THERE, HERE, THERE]);
  });
});

describe("requests", () => {
  it("are matched with their responses by id, in whatever order those come", async () => {
    await connection.open();
    const first = connection.request({ type: "mute", publication_id: "pub_1" });
    const second = connection.request({ type: "unmute", publication_id: "pub_1" });
    await settle();
    const [mute] = server.requests("mute");
    const [unmute] = server.requests("unmute");
    server.socket.refuse(unmute!, "PermissionDenied");
    server.socket.answer(mute!, { done: 1 });
    await expect(first).resolves.toEqual({ done: 1 });
    await expect(second).rejects.toMatchObject({ name: "PermissionDenied", message: "PermissionDenied it is" });
  });

  it("fail when the socket goes before the answer", async () => {
    await connection.open();
    const request = connection.request({ type: "kick_all" });
    const outcome = expect(request).rejects.toBeInstanceOf(ConnectionLostError);
    await settle();
    server.socket.drop();
    await outcome;
  });

  it("that come to the same when said twice are said again after the resume, in their order", async () => {
    await connection.open();
    const views = [1, 2].map((count) => connection.request({ type: "set_view", mode: "speakers", encrypted: false, count }));
    await settle();
    server.socket.drop();
    await settle();
    views.push(connection.request({ type: "set_view", mode: "manual", encrypted: false }));
    server.handlers["set_view"] = (socket, request) => socket.answer(request, { done: request["count"] ?? 3 });
    await clock.advance(1_000);
    expect(await Promise.all(views)).toEqual([{ done: 1 }, { done: 2 }, { done: 3 }]);
    expect(server.socket.sent.map(({ count, mode }) => count ?? mode).slice(1)).toEqual([1, 2, "manual"]);
  });

  it("are not said again in another session, nor after one has left", async () => {
    await connection.open();
    const first = expect(connection.request({ type: "mute", publication_id: "pub_1" })).rejects.toBeInstanceOf(ConnectionLostError);
    await settle();
    server.handlers["resume"] = (socket, request) => socket.refuse(request, "ResumeRefused", 9410);
    server.socket.drop();
    await clock.advance(1_000);
    await first;
    const second = expect(connection.request({ type: "mute", publication_id: "pub_1" })).rejects.toBeInstanceOf(ConnectionLostError);
    await settle();
    connection.close();
    await second;
    expect(server.requests("mute")).toHaveLength(2);
  });

  it("made while reconnecting wait for the resume", async () => {
    await connection.open();
    server.socket.drop();
    const request = connection.request({ type: "mute", publication_id: "pub_1" });
    await settle();
    expect(server.requests("mute")).toHaveLength(0);
    server.handlers["mute"] = (socket, sent) => socket.answer(sent, {});
    await clock.advance(1_000);
    await expect(request).resolves.toEqual({});
  });

  it("that the server never answers fail after a while", async () => {
    await connection.open();
    const outcome = expect(connection.request({ type: "kick_all" })).rejects.toBeInstanceOf(RostrumError);
    await clock.advance(15_000);
    await outcome;
  });
});

describe("events", () => {
  it("come in order and once, whatever is repeated", async () => {
    await connection.open();
    server.socket.event(1, left("a"));
    server.socket.event(2, left("b"));
    server.socket.event(2, left("b"));
    server.socket.event(1, left("a"));
    expect(events).toEqual([left("a"), left("b")]);
  });

  it("that the join result already contains are left out, and those right behind it are not", async () => {
    server.joined = joinedResult({ seq: 5 });
    server.handlers["join"] = (socket, request) => {
      socket.event(5, left("known"));
      socket.answer(request, server.joined);
      socket.event(6, left("new"));
    };
    await connection.open();
    expect(events).toEqual([left("new")]);
  });

  it("with a gap make it resume from the last one seen", async () => {
    await connection.open();
    server.socket.event(1, left("a"));
    server.socket.event(3, left("c"));
    await clock.advance(1_000);
    expect(server.requests("resume")[0]).toMatchObject({ last_seq: 1 });
    expect(events).toEqual([left("a")]);
  });
});

describe("a lost socket", () => {
  it("is resumed with the token and the last event seen, and the missed events follow", async () => {
    await connection.open();
    server.socket.event(1, left("a"));
    server.handlers["resume"] = (socket, request) => {
      socket.answer(request, { peer_id: "peer_me", session_id: "ses_1", resume_token: "second", replayed: 2, ice_servers: [] });
      socket.event(2, left("b"));
      socket.event(3, left("c"));
    };
    server.socket.drop();
    await clock.advance(1_000);
    expect(server.requests("resume")).toMatchObject([{ resume_token: "first", last_seq: 1 }]);
    expect(events).toEqual([left("a"), left("b"), left("c")]);
    expect(joins).toEqual([false]);
    expect(connection.state).toBe("connected");
  });

  it("is resumed with the newer token the second time", async () => {
    await connection.open();
    server.socket.drop();
    await clock.advance(1_000);
    server.socket.drop();
    await clock.advance(1_000);
    expect(server.requests("resume").map((request) => request["resume_token"])).toEqual(["first", "second"]);
  });

  it("leads to a fresh join, and says so, when the server will not resume", async () => {
    await connection.open();
    server.handlers["resume"] = (socket, request) => socket.refuse(request, "ResumeFailed");
    server.joined = joinedResult({ seq: 40 });
    server.socket.drop();
    await clock.advance(1_000);
    expect(joins).toEqual([false, true]);
    expect(server.requests("join")).toHaveLength(2);
    server.socket.event(41, left("a"));
    expect(events).toEqual([left("a")]);
  });

  it("is tried for ten times, with waits that grow to ten seconds, then given up", async () => {
    await connection.open();
    const opened: number[] = [];
    const started = server.sockets.length;
    server.reachable = false;
    server.socket.drop();
    for (let second = 0; second < 120; second++) {
      const before = server.sockets.length;
      await clock.advance(1_000);
      for (let count = before; count < server.sockets.length; count++) opened.push(second + 1);
    }
    expect(server.sockets.length - started).toBe(10);
    expect(opened).toEqual([1, 3, 7, 15, 25, 35, 45, 55, 65, 75]);
    expect(connection.state).toBe("failed");
  });

  it("is tried for at once when the network comes back", async () => {
    await connection.open();
    server.socket.drop();
    await settle();
    connection.hurry();
    await settle();
    expect(connection.state).toBe("connected");
  });

  it("is noticed by silence", async () => {
    await connection.open();
    server.handlers["ping"] = () => undefined;
    await clock.advance(45_000);
    expect(server.requests("resume").length).toBeGreaterThan(0);
  });

  it("is noticed at once where there is reason to doubt it", async () => {
    await connection.open();
    server.handlers["ping"] = () => undefined;
    connection.probe();
    connection.probe();
    expect(server.requests("ping")).toHaveLength(1);
    await clock.advance(1_900);
    expect(server.requests("resume")).toHaveLength(0);
    await clock.advance(2_000);
    expect(server.requests("resume")).toHaveLength(1);
  });

  it("is noticed as soon as the most impatient doubt says", async () => {
    await connection.open();
    server.handlers["ping"] = () => undefined;
    connection.probe();
    connection.probe(SHORT_PROBE_LIMIT_MS);
    connection.probe();
    await clock.advance(SHORT_PROBE_LIMIT_MS + LINE_DEAD_BACKOFF_MS);
    expect(server.requests("resume")).toHaveLength(1);
  });

  it("that was doubted and answers is kept", async () => {
    await connection.open();
    connection.probe();
    await clock.advance(9_000);
    expect(server.requests("ping")).toHaveLength(1);
    expect(server.sockets).toHaveLength(1);
  });

  it("stays lost after close", async () => {
    await connection.open();
    connection.close();
    await clock.advance(60_000);
    expect(server.sockets).toHaveLength(1);
    expect(server.socket.closed).toBe(true);
    expect(connection.state).toBe("disconnected");
  });
});
