/** Short notices that go by themselves; they are read out by screen readers. */

import { signal } from "@preact/signals";

export type ToastTone = "info" | "good" | "bad";

export interface Toast {
  id: number;
  text: string;
  tone: ToastTone;
}

const LIFETIME_MS = 5_000;
const MAX_SHOWN = 4;
let nextId = 1;

export const toasts = signal<Toast[]>([]);

export function toast(text: string, tone: ToastTone = "info"): void {
  const item = { id: nextId++, text, tone };
  toasts.value = [...toasts.value, item].slice(-MAX_SHOWN);
  setTimeout(() => dismissToast(item.id), LIFETIME_MS);
}

export function dismissToast(id: number): void {
  toasts.value = toasts.value.filter((item) => item.id !== id);
}

/** Runs what a button started, and shows what the server or the browser has against it. */
export async function attempt(action: () => Promise<unknown>): Promise<void> {
  try {
    await action();
  } catch (error) {
    toast(error instanceof Error ? error.message : String(error), "bad");
  }
}
