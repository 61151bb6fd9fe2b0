/**
 * Keeps a way to the server, for media and for the socket: whatever tells that it may have gone (the browser, the
 * network, silence, either connection's state) ends in a new socket where the old one does not answer, and in ICE
 * restarts where media has no path.
 */

import type { Clock } from "./clock";
import type { Connection } from "./connection/connection";
import { SHORT_PROBE_LIMIT_MS } from "./connection/keepalive";
import { IceWatch } from "./media/iceWatch";
import { PathWatch, type Way } from "./media/pathWatch";
import type { Publisher } from "./media/publisher";
import type { Subscriber } from "./media/subscriber";
import { Suspicion } from "./media/suspicion";
import type { NetworkWatch } from "./network";

export interface PathRepairOptions {
  clock: Clock;
  connection: Pick<Connection, "state" | "probe" | "hurry" | "rejoin">;
  publisher: Pick<Publisher, "state" | "on" | "flow" | "restartIce">;
  subscriber: Pick<Subscriber, "state" | "on" | "flow" | "restartIce">;
  watchNetwork: NetworkWatch;
  failed: (error: unknown) => void;
}

export class PathRepair {
  private readonly publishWatch: IceWatch;
  private readonly subscribeWatch: IceWatch;
  private readonly pathWatch: PathWatch;
  private readonly suspicions: Suspicion[];
  private stopWatchingNetwork: (() => void) | null = null;
  /** Nothing came over the way that there was: once the socket is back, media is to look for another one. */
  private doubted = false;

  constructor(private readonly options: PathRepairOptions) {
    const { clock, publisher, subscriber } = options;
    this.publishWatch = this.iceWatch(() => publisher.restartIce());
    this.subscribeWatch = this.iceWatch(() => subscriber.restartIce());
    this.pathWatch = new PathWatch({
      clock,
      publish: () => publisher.flow(),
      subscribe: () => subscriber.flow(),
      lost: () => this.handleSilence({ lost: true }),
      doubtful: () => this.handleSilence({ lost: false }),
    });
    this.suspicions = [
      this.suspicion("publish", () => publisher.restartIce()),
      this.suspicion("subscribe", () => subscriber.restartIce()),
    ];
    publisher.on("stateChanged", (state) => this.handleState(this.publishWatch, state));
    subscriber.on("stateChanged", (state) => this.handleState(this.subscribeWatch, state));
  }

  start(): void {
    this.stopWatchingNetwork ??= this.options.watchNetwork(() => this.handleNetworkChange());
    this.pathWatch.start();
  }

  stop(): void {
    this.stopWatchingNetwork?.();
    this.stopWatchingNetwork = null;
    this.pathWatch.stop();
    this.handleReset();
  }

  /** The connections there were are no more. */
  handleReset(): void {
    this.publishWatch.stop();
    this.subscribeWatch.stop();
    for (const one of this.suspicions) one.stop();
  }

  /** The socket is back, perhaps over another way. */
  handleResumed(): void {
    if (this.doubted) this.restartIce();
    this.doubted = false;
    this.publishWatch.hurry(this.options.publisher.state);
    this.subscribeWatch.hurry(this.options.subscriber.state);
  }

  /** Media that stops may mean that our address went, and the socket with it: a repair needs one that works. */
  private handleState(watch: IceWatch, state: RTCPeerConnectionState): void {
    if (state === "disconnected" || state === "failed") this.options.connection.probe(SHORT_PROBE_LIMIT_MS);
    watch.handleState(state);
  }

  private handleNetworkChange(): void {
    this.doubt();
    this.options.connection.hurry();
    this.options.connection.probe(SHORT_PROBE_LIMIT_MS);
    this.restartIce();
  }

  private handleSilence({ lost }: { lost: boolean }): void {
    this.doubt();
    this.options.connection.probe(SHORT_PROBE_LIMIT_MS);
    if (lost) this.restartIce();
  }

  private doubt(): void {
    this.doubted = true;
    for (const one of this.suspicions) one.doubt();
  }

  private restartIce(): void {
    for (const one of this.suspicions) one.restart();
  }

  /** Where a restart fails (a worker that is gone, say), what is the matter is told in another way. */
  private suspicion(way: Way, restart: () => Promise<void>): Suspicion {
    const { clock, connection } = this.options;
    return new Suspicion({
      clock,
      heardAt: () => this.pathWatch.heardAt[way],
      restart: async () => {
        if (connection.state === "connected") await restart().catch(() => undefined);
      },
    });
  }

  private iceWatch(restart: () => Promise<void>): IceWatch {
    const { clock, connection, failed } = this.options;
    return new IceWatch(clock, {
      repair: () => {
        if (connection.state === "connected") restart().catch(failed);
      },
      beyondRepair: () => connection.rejoin(),
    });
  }
}
