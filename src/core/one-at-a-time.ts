/** Runs tasks in the order in which they came, never two at once. A task that fails does not stop the next one. */
export class OneAtATime {
  #last: Promise<unknown> = Promise.resolve();

  run<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#last.then(task, task);
    this.#last = result.catch(() => {
      // The caller of this task gets the rejection; here it only must not count as unhandled.
    });
    return result;
  }

  /** Resolves when everything that was asked for so far has ended. */
  async idle(): Promise<void> {
    await this.#last;
  }
}
