/** A typed event emitter: `Events` maps an event's name to the tuple of its listener's arguments. */

export type EventMap<Events> = { [Name in keyof Events]: unknown[] };
export type ListenerOf<Args extends unknown[]> = (...args: Args) => void;

export class Emitter<Events extends EventMap<Events>> {
  private readonly listeners = new Map<keyof Events, Set<unknown>>();

  /** Calls `listener` at every `name` from now on; the returned function stops that. */
  on<Name extends keyof Events>(name: Name, listener: ListenerOf<Events[Name]>): () => void {
    const listeners = this.listeners.get(name) ?? new Set();
    listeners.add(listener);
    this.listeners.set(name, listeners);
    return () => this.off(name, listener);
  }

  once<Name extends keyof Events>(name: Name, listener: ListenerOf<Events[Name]>): () => void {
    const stop = this.on(name, (...args) => {
      stop();
      listener(...args);
    });
    return stop;
  }

  off<Name extends keyof Events>(name: Name, listener: ListenerOf<Events[Name]>): void {
    this.listeners.get(name)?.delete(listener);
  }

  /** Listeners run in the order in which they were added; one that throws does not stop the others. */
  protected emit<Name extends keyof Events>(name: Name, ...args: Events[Name]): void {
    for (const listener of [...(this.listeners.get(name) ?? [])]) {
      try {
        (listener as ListenerOf<Events[Name]>)(...args);
      } catch (error) {
        reportError(error);
      }
    }
  }
}

function reportError(error: unknown): void {
  if (typeof globalThis.reportError === "function") globalThis.reportError(error);
  else console.error(error);
}
