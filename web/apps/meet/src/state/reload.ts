/** Remembers, for this tab alone, that it is in a meeting: a reload goes straight back in. */

const KEY = "rostrum.inside";

export interface Inside {
  audio: boolean;
  video: boolean;
}

interface Stored extends Inside {
  token: string;
}

/** How one was in the meeting of `token` before the reload; null when one was not. */
export function wasInside(token: string): Inside | null {
  try {
    const stored = JSON.parse(sessionStorage.getItem(KEY) ?? "null") as Stored | null;
    return stored?.token === token ? { audio: stored.audio, video: stored.video } : null;
  } catch {
    return null;
  }
}

export function rememberInside(token: string, inside: Inside): void {
  sessionStorage.setItem(KEY, JSON.stringify({ token, ...inside } satisfies Stored));
}

export function forgetInside(): void {
  sessionStorage.removeItem(KEY);
}
