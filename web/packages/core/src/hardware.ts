/** What the browser says of the machine, as far as the server takes it: a value beyond that is not told. */

import type { Hardware } from "@rostrum/protocol";

/** The part of `navigator` that is read. Not every browser tells the memory, and none over plain http. */
export interface Machine {
  hardwareConcurrency?: number;
  /** GiB, rounded by the browser. */
  deviceMemory?: number;
}

const MAX_CORES = 4096;
const MAX_MEMORY = 65_536;

/** Null where there is nothing to tell. */
export function hardwareOf({ hardwareConcurrency: cores, deviceMemory: memory }: Machine): Hardware | null {
  const told: Hardware = {};
  if (Number.isInteger(cores) && cores! >= 1 && cores! <= MAX_CORES) told.cores = cores!;
  if (typeof memory === "number" && memory > 0 && memory <= MAX_MEMORY) told.memory = memory;
  return Object.keys(told).length === 0 ? null : told;
}
