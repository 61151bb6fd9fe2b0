/**
 * Tells the server which microphones, cameras and speakers there are, for the report that the organization reads.
 *
 * All of them, after each join and resume and whenever something about them changed; the server keeps the
 * differences. Devices have the numbers that they get here, not the browser's ids, by which somebody could be known
 * again in another meeting. Before a page was allowed to use a device of a kind its names are not known, and
 * it is told of none of that kind; names that were known once stay (some browsers hide them while nothing is
 * captured).
 */

import type { MediaDevice } from "@rostrum/protocol";
import type { Clock, TimerId } from "./clock";
import type { Signal } from "./connection/results";
import { RostrumError } from "./errors";
import type { Self } from "./self";

/** Plugging in one thing changes the list several times. */
export const SETTLE_MS = 500;
export const MAX_DEVICES = 64;
export const MAX_LABEL = 128;
/** What Chromium calls the system's choice. */
const DEFAULT = "default";
const KINDS = ["audioinput", "videoinput", "audiooutput"] as const;

type Kind = MediaDevice["kind"];
/** As the browser has them, and as they are told. */
type Known = Map<string, MediaDevice>;

export interface DeviceReportOptions {
  self: Self;
  signal: Signal;
  clock: Clock;
}

export class DeviceReport {
  private readonly known: Record<Kind, Known> = { audioinput: new Map(), videoinput: new Map(), audiooutput: new Map() };
  /** By kind and the browser's id: what comes back has the number that it had. */
  private readonly numbers: Record<Kind, Map<string, string>> = {
    audioinput: new Map(),
    videoinput: new Map(),
    audiooutput: new Map(),
  };
  private told = "";
  private toldAnything = false;
  /** By a server that does not know this request: to ask it again and again would cost us the socket. */
  private refused = false;
  private timer: TimerId | null = null;

  constructor(private readonly options: DeviceReportOptions) {
    const { self } = options;
    self.on("roomJoined", () => {
      this.told = "";
      this.schedule();
    });
    for (const change of ["audioUpdate", "videoUpdate", "deviceUpdate", "deviceListUpdate"] as const) {
      self.on(change, () => this.schedule());
    }
  }

  private schedule(): void {
    if (this.timer !== null || this.refused || !this.options.self.roomJoined) return;
    this.timer = this.options.clock.setTimeout(() => {
      this.timer = null;
      this.tell().catch((error: unknown) => {
        // What fails because the connection went is told again after it came back.
        if (error instanceof RostrumError && error.name === "MalformedMessage") this.refused = true;
      });
    }, SETTLE_MS);
  }

  private async tell(): Promise<void> {
    const { self, signal } = this.options;
    this.follow(await self.getAllDevices());
    const used = this.used();
    const devices = KINDS.flatMap((kind) => [...this.known[kind].values()])
      .sort((one, other) => Number(used.includes(other.id)) - Number(used.includes(one.id)))
      .slice(0, MAX_DEVICES);
    const text = JSON.stringify([devices, used]);
    const nothing = devices.length === 0 && !this.toldAnything;
    if (nothing || text === this.told || !self.roomJoined) return;
    this.told = text;
    this.toldAnything = true;
    await signal.request({ type: "report_devices", devices, used });
  }

  private follow(present: MediaDeviceInfo[]): void {
    for (const kind of KINDS) {
      const ofKind = present.filter((device) => device.kind === kind);
      const named = ofKind.map((device) => ({ device, label: labelOf(device) })).filter(({ label }) => label !== "");
      if (named.length === 0 && ofKind.length > 0) continue;
      this.known[kind] = new Map(
        named.map(({ device, label }) => [device.deviceId, { id: this.numberOf(kind, device.deviceId), kind, label }]),
      );
    }
  }

  private numberOf(kind: Kind, deviceId: string): string {
    const numbers = this.numbers[kind];
    const number = numbers.get(deviceId) ?? `${kind}-${numbers.size + 1}`;
    numbers.set(deviceId, number);
    return number;
  }

  private used(): string[] {
    const { audio, video, speaker } = this.options.self.getCurrentDevices();
    const used = { audioinput: audio, videoinput: video, audiooutput: speaker ?? DEFAULT };
    return KINDS.flatMap((kind) => this.known[kind].get(used[kind] ?? "")?.id ?? []);
  }
}

/** As the server takes it; nothing where the browser does not say. */
function labelOf({ label }: MediaDeviceInfo): string {
  const printable = label.replace(/[\p{Cc}\p{Cs}]/gu, " ").trim();
  return [...printable].slice(0, MAX_LABEL).join("");
}
