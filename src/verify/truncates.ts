/** When tables were emptied, by the places of the records that say so. */
export class Truncates {
  readonly #seen: { readonly partition: number; readonly offset: number; readonly timestampMs: number }[] = [];

  add(partition: number, offset: number, timestampMs: number): void {
    this.#seen.push({ partition, offset, timestampMs });
  }

  get none(): boolean {
    return this.#seen.length === 0;
  }

  /**
   * Whether a record came before one of them. Over partitions the time decides; `perhaps` where that is the same: the order
   * of such two cannot be known.
   */
  follow(partition: number, offset: number, timestampMs: number): 'yes' | 'no' | 'perhaps' {
    let answer: 'no' | 'perhaps' = 'no';
    for (const truncate of this.#seen) {
      if (truncate.partition === partition) {
        if (truncate.offset > offset) return 'yes';
      } else if (truncate.timestampMs > timestampMs) return 'yes';
      else if (truncate.timestampMs === timestampMs) answer = 'perhaps';
    }
    return answer;
  }
}
