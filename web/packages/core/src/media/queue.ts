/** Runs asynchronous jobs one after the other: an offer must be answered before the next is made. */

export class SerialQueue {
  private tail: Promise<unknown> = Promise.resolve();

  run<Result>(job: () => Promise<Result>): Promise<Result> {
    const result = this.tail.then(job);
    this.tail = result.catch(() => undefined);
    return result;
  }

  /** Once every job until now is done, or failed. */
  settled(): Promise<void> {
    return this.run(() => Promise.resolve());
  }
}
