/** As much of RTCPeerConnection as the publisher uses: states, m-lines, no media. */

export function fakeTrack(kind: "audio" | "video"): MediaStreamTrack {
  return { kind, id: crypto.randomUUID() } as MediaStreamTrack;
}

type FakeEncoding = { rid?: string; active?: boolean };

interface FakeSender {
  track: MediaStreamTrack | null;
  replaceTrack(track: MediaStreamTrack | null): Promise<void>;
  getParameters(): { encodings: FakeEncoding[] };
  setParameters(parameters: { encodings: FakeEncoding[] }): Promise<void>;
}

export class FakeTransceiver {
  mid: string | null = null;
  direction: string;
  readonly sender: FakeSender;

  constructor(track: MediaStreamTrack | string, direction: string, encodings: FakeEncoding[] = [{}]) {
    let parameters = encodings.map((encoding) => ({ active: true, ...encoding }));
    this.direction = direction;
    this.sender = {
      track: typeof track === "string" ? null : track,
      async replaceTrack(next) {
        this.track = next;
      },
      getParameters: () => ({ encodings: parameters.map((encoding) => ({ ...encoding })) }),
      async setParameters(next) {
        parameters = next.encodings.map((encoding) => ({ active: true, ...encoding }));
      },
    };
  }

  stop(): void {
    this.direction = "stopped";
  }
}

export class FakeDataChannel {
  readyState = "connecting";
  bufferedAmount = 0;
  readonly sent: Uint8Array[] = [];
  onopen: (() => void) | null = null;
  onclose: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  private readonly drained: (() => void)[] = [];

  constructor(readonly label: string) {}

  /** The other side accepts it. */
  accept(): void {
    this.readyState = "open";
    this.onopen?.();
  }

  send(message: Uint8Array): void {
    this.sent.push(message);
  }

  close(): void {
    this.readyState = "closed";
    this.onclose?.();
  }

  addEventListener(name: string, listener: () => void): void {
    if (name === "bufferedamountlow") this.drained.push(listener);
  }

  drain(): void {
    this.bufferedAmount = 0;
    for (const listener of this.drained.splice(0)) listener();
  }
}

export class FakePeerConnection {
  connectionState = "new";
  signalingState: "stable" | "have-local-offer" | "closed" = "stable";
  onconnectionstatechange: (() => void) | null = null;
  localDescription: { type: string; sdp: string } | null = null;
  currentRemoteDescription: object | null = null;
  readonly transceivers: FakeTransceiver[] = [];
  readonly dataChannels: FakeDataChannel[] = [];
  restarts = 0;
  offersWhileOneWasOpen = 0;
  private readonly negotiated = new Set<FakeTransceiver>();
  private mids = 0;

  addTransceiver(track: MediaStreamTrack | string, init: { direction: string; sendEncodings?: FakeEncoding[] }): FakeTransceiver {
    const transceiver = new FakeTransceiver(track, init.direction, init.sendEncodings);
    this.transceivers.push(transceiver);
    return transceiver;
  }

  createDataChannel(label: string): FakeDataChannel {
    const channel = new FakeDataChannel(label);
    this.dataChannels.push(channel);
    return channel;
  }

  async createOffer(): Promise<{ type: string; sdp: string }> {
    if (this.signalingState === "have-local-offer") this.offersWhileOneWasOpen++;
    return { type: "offer", sdp: `offer of ${this.transceivers.length}` };
  }

  async createAnswer(): Promise<{ type: string; sdp: string }> {
    return { type: "answer", sdp: "" };
  }

  getTransceivers(): FakeTransceiver[] {
    return this.transceivers;
  }

  async setLocalDescription(description: { type: string; sdp: string }): Promise<void> {
    if (description.type === "rollback") {
      for (const transceiver of this.transceivers) if (!this.negotiated.has(transceiver)) transceiver.mid = null;
      this.signalingState = "stable";
      return;
    }
    const unnamed = this.transceivers.filter(({ mid }) => mid === null);
    const lines = unnamed.filter(({ direction }) => direction !== "stopped").length;
    // As in Chromium, what was stopped before it had an m-line takes that of another.
    for (const transceiver of unnamed.slice(0, lines)) transceiver.mid = String(this.mids++);
    this.localDescription = description;
    this.signalingState = "have-local-offer";
  }

  async setRemoteDescription(description: object): Promise<void> {
    for (const transceiver of this.transceivers) if (transceiver.mid !== null) this.negotiated.add(transceiver);
    this.currentRemoteDescription = description;
    this.signalingState = "stable";
  }

  configuration: RTCConfiguration | null = null;

  setConfiguration(configuration: RTCConfiguration): void {
    this.configuration = configuration;
  }

  addEventListener(): void {
    // No tracks come.
  }

  getSenders(): object[] {
    return [];
  }

  getReceivers(): object[] {
    return [];
  }

  restartIce(): void {
    this.restarts++;
  }

  close(): void {
    this.signalingState = "closed";
    this.connectionState = "closed";
  }
}
