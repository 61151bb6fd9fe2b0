import { describe, expect, it } from "vitest";
import { Capture, type MediaDevicesLike } from "../src/capture";
import { DEFAULT_CONFIG } from "../src/preset";

/** A browser with these microphones, which counts as Chromium does: only what is demanded is heeded. */
class Browser {
  readonly asked: unknown[] = [];

  constructor(
    private readonly microphones: string[],
    private readonly refusal: string | null = null,
  ) {}

  readonly devices = {
    getUserMedia: ({ audio }: { audio: { deviceId?: { exact?: string } } }) => {
      const wanted = audio.deviceId?.exact;
      this.asked.push(wanted ?? null);
      const refusal = this.refusal ?? (wanted === undefined || this.microphones.includes(wanted) ? null : "OverconstrainedError");
      if (refusal !== null) return Promise.reject(Object.assign(new Error("no"), { name: refusal }));
      const track = { label: wanted ?? this.microphones[0] };
      return Promise.resolve({ getAudioTracks: () => [track] });
    },
  } as unknown as MediaDevicesLike;
}

async function labelFrom(browser: Browser, deviceId: string | null): Promise<string> {
  return (await new Capture(browser.devices).microphone(DEFAULT_CONFIG, deviceId)).label;
}

describe("the microphone", () => {
  it("is the one that was chosen, or the system's where none was", async () => {
    expect(await labelFrom(new Browser(["default", "headset"]), "headset")).toBe("headset");
    expect(await labelFrom(new Browser(["default", "headset"]), null)).toBe("default");
  });

  it("is another one where the chosen one is not there any more", async () => {
    expect(await labelFrom(new Browser(["default"]), "headset")).toBe("default");
  });

  it("is asked for once where the page may not use any", async () => {
    const browser = new Browser(["default", "headset"], "NotAllowedError");
    await expect(labelFrom(browser, "headset")).rejects.toMatchObject({ state: "DENIED" });
    expect(browser.asked).toEqual(["headset"]);
  });
});
