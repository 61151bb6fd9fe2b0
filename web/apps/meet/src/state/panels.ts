/** What is open beside or above the room. */

import { signal } from "@preact/signals";

export type Panel = "participants" | null;
export type DialogName = "settings" | "help" | null;

export const panel = signal<Panel>(null);
export const dialog = signal<DialogName>(null);
/** The browser plays no sound before a click. */
export const soundBlocked = signal(false);

export function togglePanel(name: NonNullable<Panel>): void {
  panel.value = panel.value === name ? null : name;
}

export function closeTop(): void {
  if (dialog.value !== null) dialog.value = null;
  else panel.value = null;
}
