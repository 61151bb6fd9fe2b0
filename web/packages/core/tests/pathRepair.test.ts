import { beforeEach, describe, expect, it } from "vitest";
import { SHORT_PROBE_LIMIT_MS } from "../src/connection/keepalive";
import type { SocketState } from "../src/connection/connection";
import { Emitter } from "../src/emitter";
import { type Flow, LOOK_EVERY_MS, SILENT_LOOKS, STEADY_LOOKS } from "../src/media/pathWatch";
import type { PublisherEvents } from "../src/media/publisher";
import { AGAIN_AFTER_MS, LATELY_MS, MISSED_FOR_MS } from "../src/media/suspicion";
import { PathRepair } from "../src/pathRepair";
import { ManualClock, settle } from "./support/world";

const NOTICED = (SILENT_LOOKS + 1) * LOOK_EVERY_MS;

/** One media connection: what it sends and gets between two looks, and when it was restarted. */
class Side extends Emitter<PublisherEvents> {
  state: RTCPeerConnectionState = "connected";
  readonly restarts: number[] = [];
  private readonly counted = { sent: 0, received: 0 };

  constructor(
    private readonly clock: ManualClock,
    /** Null for a connection that there is not. */
    public rate: { sent: number; received: number } | null,
  ) {
    super();
  }

  async flow(): Promise<Flow> {
    if (this.rate === null) return null;
    this.counted.sent += this.rate.sent;
    this.counted.received += this.rate.received;
    return { ...this.counted };
  }

  /** How long a restart takes to be negotiated. */
  negotiation = 0;

  async restartIce(): Promise<void> {
    this.restarts.push(this.clock.now());
    if (this.negotiation > 0) await new Promise<void>((resolve) => this.clock.setTimeout(resolve, this.negotiation));
  }
}

/** A socket that is as dead or alive as the test says. */
class Line {
  state: SocketState = "connected";
  readonly probes: (number | undefined)[] = [];

  hurry(): void {
    // There is no attempt under way.
  }

  probe(limit?: number): void {
    this.probes.push(limit);
  }

  rejoin(): void {
    expect.unreachable();
  }
}

const TWO_WAYS = { sent: 100, received: 10 };
const RECEIVED = { sent: 10, received: 100 };

let clock: ManualClock;
let line: Line;
let changeNetwork: () => void;
let repair: PathRepair;

async function begin(publishes: Side["rate"], subscribes: Side["rate"]): Promise<[Side, Side]> {
  const sides: [Side, Side] = [new Side(clock, publishes), new Side(clock, subscribes)];
  repair = new PathRepair({
    clock,
    connection: line,
    publisher: sides[0],
    subscriber: sides[1],
    watchNetwork: (changed) => {
      changeNetwork = changed;
      return () => undefined;
    },
    failed: () => expect.unreachable(),
  });
  repair.start();
  await clock.advance(2 * STEADY_LOOKS * LOOK_EVERY_MS);
  return sides;
}

/** The address is gone: the browser sends nothing that is counted, and nothing comes. */
function loseWay(...sides: Side[]): void {
  for (const side of sides) side.rate = { sent: 0, received: 0 };
}

async function resume(): Promise<void> {
  line.state = "reconnecting";
  await clock.advance(100);
  line.state = "connected";
  repair.handleResumed();
  await settle();
}

beforeEach(() => {
  clock = new ManualClock();
  line = new Line();
});

describe("a page whose address changes", () => {
  const pages: [string, Side["rate"], Side["rate"]][] = [
    ["sends and receives", TWO_WAYS, RECEIVED],
    ["only sends", TWO_WAYS, null],
    ["only receives", null, RECEIVED],
  ];

  it.each(pages)("and that %s restarts ICE over a new socket, again until something comes", async (_what, ...rates) => {
    const sides = await begin(...rates);
    const flowing = sides.filter((side) => side.rate !== null);
    loseWay(...flowing);
    await clock.advance(NOTICED);
    expect(line.probes).toEqual([SHORT_PROBE_LIMIT_MS]);
    const before = flowing.map((side) => side.restarts.length);
    await resume();
    const first = clock.now();
    await clock.advance(AGAIN_AFTER_MS[0]!);
    for (const [index, side] of flowing.entries()) {
      expect(side.restarts.slice(before[index])).toEqual([first, first + AGAIN_AFTER_MS[0]!]);
      side.rate = RECEIVED;
    }
    await clock.advance(60_000);
    for (const [index, side] of flowing.entries()) expect(side.restarts.slice(before[index])).toHaveLength(2);
  });

  it("gives each restart its time from when it is negotiated", async () => {
    const [publisher] = await begin(TWO_WAYS, null);
    loseWay(publisher);
    await clock.advance(NOTICED);
    const before = publisher.restarts.length;
    publisher.negotiation = 4_000;
    await resume();
    const first = clock.now();
    await clock.advance(4_000 + AGAIN_AFTER_MS[0]!);
    expect(publisher.restarts.slice(before)).toEqual([first, first + 4_000 + AGAIN_AFTER_MS[0]!]);
  });

  it("is left to the browser after some restarts in vain", async () => {
    const [publisher, subscriber] = await begin(TWO_WAYS, RECEIVED);
    loseWay(publisher, subscriber);
    await clock.advance(NOTICED);
    await resume();
    publisher.restarts.length = subscriber.restarts.length = 0;
    await clock.advance(60_000);
    for (const side of [publisher, subscriber]) expect(side.restarts).toHaveLength(AGAIN_AFTER_MS.length);
  });

  it("begins anew with each socket, and does without while there is none", async () => {
    const [publisher, subscriber] = await begin(TWO_WAYS, RECEIVED);
    loseWay(publisher, subscriber);
    await clock.advance(NOTICED);
    line.state = "reconnecting";
    await clock.advance(8_000);
    expect(publisher.restarts).toEqual([]);
    await resume();
    const first = clock.now();
    await clock.advance(AGAIN_AFTER_MS[0]!);
    expect(publisher.restarts).toEqual([first, first + AGAIN_AFTER_MS[0]!]);
  });

  it("restarts at once where the browser says that the network is another one", async () => {
    const [publisher, subscriber] = await begin(TWO_WAYS, RECEIVED);
    const now = clock.now();
    changeNetwork();
    await clock.advance(10_000);
    for (const side of [publisher, subscriber]) expect(side.restarts, "media came at once").toEqual([now]);
    expect(line.probes).toEqual([SHORT_PROBE_LIMIT_MS]);
  });
});

describe("others that stop talking", () => {
  it("are no reason for a restart while the socket answers", async () => {
    const [, subscriber] = await begin(null, RECEIVED);
    loseWay(subscriber);
    await clock.advance(60_000);
    expect(line.probes).toEqual([SHORT_PROBE_LIMIT_MS]);
    expect(subscriber.restarts).toEqual([]);
  });

  it("long before are not waited for after a change of network", async () => {
    const [publisher, subscriber] = await begin(TWO_WAYS, RECEIVED);
    loseWay(subscriber);
    await clock.advance(MISSED_FOR_MS + LATELY_MS);
    changeNetwork();
    await clock.advance(60_000);
    expect(subscriber.restarts).toHaveLength(1);
    expect(publisher.restarts).toHaveLength(1);
  });
});
