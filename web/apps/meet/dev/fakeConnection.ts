/** A peer connection that connects to nothing: what it "receives" are canvases in motion. */

const COLOURS = ["#274060", "#4f345a", "#5a3a31", "#2e4a3a", "#574b25", "#33415c"];

export function pictureTrack(text: string, seed: number, wide = false): MediaStreamTrack {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = wide ? [1280, 720] : [640, 360];
  const context = canvas.getContext("2d")!;
  const draw = () => {
    const time = performance.now() / 1000;
    context.fillStyle = wide ? "#f4f4f2" : COLOURS[seed % COLOURS.length]!;
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.fillStyle = wide ? "#22252b" : "rgb(255 255 255 / 22%)";
    if (wide) {
      context.font = "600 54px system-ui";
      context.fillText(text, 90, 150);
      for (let line = 0; line < 7; line++) context.fillRect(90, 220 + line * 58, 900 - ((line * 137) % 400), 16);
    } else {
      context.beginPath();
      context.arc(320 + 40 * Math.sin(time + seed), 150, 62, 0, 7);
      context.arc(320 + 40 * Math.sin(time + seed), 390, 150, 0, 7);
      context.fill();
    }
  };
  draw();
  setInterval(draw, 100);
  return canvas.captureStream(10).getVideoTracks()[0]!;
}

interface FakeTransceiver {
  mid: string;
  direction: string;
  receiver: { track: MediaStreamTrack };
  sender: { replaceTrack(): Promise<void>; getParameters(): { encodings: [] } };
  stop(): void;
}

export class FakeConnection {
  connectionState = "connected";
  signalingState = "stable";
  onconnectionstatechange: (() => void) | null = null;
  localDescription = { sdp: "v=0" };
  private transceivers: FakeTransceiver[] = [];

  addTransceiver(track: MediaStreamTrack): FakeTransceiver {
    return this.add(String(this.transceivers.length), track);
  }

  getTransceivers(): FakeTransceiver[] {
    return this.transceivers;
  }

  /** The scripted server's "offer" is the list of m-lines as JSON: [mid, name, seed, wide]. */
  async setRemoteDescription({ type, sdp }: { type: string; sdp: string }): Promise<void> {
    if (type !== "offer") return;
    for (const [mid, text, seed, wide] of JSON.parse(sdp) as [string, string, number, boolean][]) {
      this.add(mid, pictureTrack(text, seed, wide));
    }
  }

  async setLocalDescription(): Promise<void> {}
  async createOffer(): Promise<object> {
    return {};
  }
  async createAnswer(): Promise<object> {
    return {};
  }
  restartIce(): void {}
  close(): void {
    this.connectionState = "closed";
  }

  private add(mid: string, track: MediaStreamTrack): FakeTransceiver {
    const transceiver: FakeTransceiver = {
      mid,
      direction: "sendrecv",
      receiver: { track },
      sender: { replaceTrack: async () => undefined, getParameters: () => ({ encodings: [] }) },
      stop: () => undefined,
    };
    this.transceivers.push(transceiver);
    return transceiver;
  }
}
