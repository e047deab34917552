/**
 * Counts the record batches that still hold something of one change batch. It settles when it is sealed (everything was
 * appended) and every batch is acknowledged.
 */
export class Ticket {
  #open = 0;
  #sealed = false;
  readonly #settled: () => void;

  constructor(settled: () => void) {
    this.#settled = settled;
  }

  get isSettled(): boolean {
    return this.#sealed && this.#open === 0;
  }

  /** A record batch took something of this ticket: once per batch, however many records. */
  hold(): void {
    this.#open += 1;
  }

  /** That record batch is durable. */
  release(): void {
    this.#open -= 1;
    if (this.isSettled) this.#settled();
  }

  /** Nothing more will be appended under this ticket. */
  seal(): void {
    this.#sealed = true;
    if (this.isSettled) this.#settled();
  }
}
