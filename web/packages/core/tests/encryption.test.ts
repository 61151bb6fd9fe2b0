import { describe, expect, it } from "vitest";
import { Encryption, LOOK_AGAIN_AT_MOST_MS, LOOK_AGAIN_MS } from "../src/e2ee/encryption";
import type { FromWorker } from "../src/e2ee/worker";
import { ManualClock } from "./support/world";

class World {
  readonly clock = new ManualClock();
  readonly paused: boolean[] = [];
  readonly failures: string[] = [];
  readonly encryption: Encryption;
  private readonly worker = { postMessage: () => undefined, terminate: () => undefined } as unknown as Worker;

  constructor() {
    this.encryption = new Encryption(
      { passphrase: "correct horse", createWorker: () => this.worker },
      {
        publicationOf: () => ({ publicationId: "pub_1", peerId: "peer_1", name: "Grace" }),
        setPaused: (_, paused) => this.paused.push(paused),
      },
      this.clock,
    );
    this.encryption.on("failure", ({ reason }) => this.failures.push(reason));
  }

  async join(): Promise<void> {
    await this.encryption.handleJoined("mtg_1");
  }

  hear(message: FromWorker): void {
    this.worker.onmessage?.({ data: message } as MessageEvent<FromWorker>);
  }

  fail(): void {
    this.hear({ type: "failed", id: "track", side: "receiver", reason: "wrong_key" });
  }
}

describe("what cannot be opened", () => {
  it("is told once, is not sent meanwhile, and is looked at again, less often each time", async () => {
    const world = new World();
    await world.join();
    world.fail();
    expect(world.paused).toEqual([true]);
    await world.clock.advance(LOOK_AGAIN_MS);
    expect(world.paused).toEqual([true, false]);
    world.fail();
    await world.clock.advance(LOOK_AGAIN_MS);
    expect(world.paused).toEqual([true, false, true]);
    await world.clock.advance(LOOK_AGAIN_MS);
    expect(world.paused).toEqual([true, false, true, false]);
    expect(world.failures).toEqual(["wrong_key"]);
    for (let round = 0; round < 5; round++) {
      world.fail();
      await world.clock.advance(LOOK_AGAIN_AT_MOST_MS);
      expect(world.paused.at(-1)).toBe(false);
    }
  });

  it("goes on once it can be opened", async () => {
    const world = new World();
    await world.join();
    world.fail();
    await world.clock.advance(LOOK_AGAIN_MS);
    world.hear({ type: "recovered", id: "track" });
    await world.clock.advance(10 * LOOK_AGAIN_AT_MOST_MS);
    expect(world.paused).toEqual([true, false, false]);
    world.fail();
    expect(world.failures).toEqual(["wrong_key", "wrong_key"]);
  });

  it("goes on at once where frames under way could be opened before it was looked at again", async () => {
    const world = new World();
    await world.join();
    world.fail();
    world.hear({ type: "recovered", id: "track" });
    expect(world.paused).toEqual([true, false]);
  });

  it("is forgotten when the meeting is left", async () => {
    const world = new World();
    await world.join();
    world.fail();
    world.encryption.close();
    await world.clock.advance(10 * LOOK_AGAIN_AT_MOST_MS);
    expect(world.paused).toEqual([true]);
  });
});
