/** Which camera, microphone and speaker to use. */

import type { Self } from "@rostrum/core";
import type { JSX } from "preact";
import { useEffect, useId, useState } from "preact/hooks";
import { attempt } from "../state/toasts";

const FIELDS: { kind: MediaDeviceKind; label: string; current: "audio" | "video" | "speaker" }[] = [
  { kind: "videoinput", label: "Camera", current: "video" },
  { kind: "audioinput", label: "Microphone", current: "audio" },
  { kind: "audiooutput", label: "Speaker", current: "speaker" },
];

export function DevicePickers({ self, kinds }: { self: Self; kinds?: MediaDeviceKind[] }): JSX.Element {
  const [devices, setDevices] = useState<MediaDeviceInfo[]>([]);
  useEffect(() => {
    const reload = () => void self.getAllDevices().then(setDevices);
    reload();
    // Names of devices appear once the browser has let us in.
    const stops = [
      self.on("deviceListUpdate", reload),
      self.on("audioUpdate", reload),
      self.on("videoUpdate", reload),
      self.on("deviceUpdate", reload),
    ];
    return () => stops.forEach((stop) => stop());
  }, [self]);
  const current = self.getCurrentDevices();
  return (
    <div class="device-pickers">
      {FIELDS.filter(({ kind }) => kinds === undefined || kinds.includes(kind)).map((field) => (
        <Picker
          key={field.kind}
          label={field.label}
          devices={devices.filter((device) => device.kind === field.kind)}
          current={current[field.current]}
          onPick={(device) => void attempt(() => self.setDevice(device))}
        />
      ))}
    </div>
  );
}

interface PickerProps {
  label: string;
  devices: MediaDeviceInfo[];
  current: string | null;
  onPick: (device: MediaDeviceInfo) => void;
}

function Picker({ label, devices, current, onPick }: PickerProps): JSX.Element {
  const id = useId();
  const known = devices.filter((device) => device.deviceId !== "");
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select
        id={id}
        value={current ?? known[0]?.deviceId ?? ""}
        disabled={known.length === 0}
        data-testid={`device-${label.toLowerCase()}`}
        onChange={(event) => {
          const device = known.find(({ deviceId }) => deviceId === event.currentTarget.value);
          if (device !== undefined) onPick(device);
        }}
      >
        {known.length === 0 && <option value="">{devices.length > 0 ? "Default" : "None found"}</option>}
        {known.map((device, index) => (
          <option key={device.deviceId} value={device.deviceId}>
            {device.label || `${label} ${index + 1}`}
          </option>
        ))}
      </select>
    </div>
  );
}
