/** Runs asynchronous jobs one after the other: an offer must be answered before the next is made. */

export class SerialQueue {
  private tail: Promise<unknown> = Promise.resolve();
  /** Of the job that runs, or ran last. */
  private turn = new AbortController();

  /** `abandoned`, for a job that goes on after something which was still settled: whether to leave it there. */
  run(job: (abandoned: AbortSignal) => Promise<void>): Promise<void> {
    const result = this.tail.then(() => this.give(job));
    this.tail = result.catch(() => undefined);
    return result;
  }

  /** Once every job until now is done, or failed. */
  settled(): Promise<void> {
    return this.run(() => Promise.resolve());
  }

  /**
   * Lets the job that runs go, as if it were done: browsers never settle what a connection was doing as it was
   * closed (W3C WebRTC, the operations chain), and the next one is not to wait for that.
   */
  abandon(): void {
    this.turn.abort();
  }

  private give(job: (abandoned: AbortSignal) => Promise<void>): Promise<void> {
    const { signal } = (this.turn = new AbortController());
    const abandoned = new Promise<void>((resolve) => {
      signal.addEventListener("abort", () => resolve(), { once: true });
    });
    return Promise.race([job(signal), abandoned]);
  }
}
