/** Sets of columns that rows are compared without, each with a number from 1 on; 0 is the empty set. */
export class ColumnSets {
  readonly #ids = new Map<string, number>();
  readonly #sets: ReadonlySet<number>[] = [];

  /** @param columns indexes in a layout */
  idOf(columns: readonly number[]): number {
    if (columns.length === 0) return 0;
    const sorted = [...new Set(columns)].sort((a, b) => a - b);
    const text = sorted.join();
    let id = this.#ids.get(text);
    if (id === undefined) {
      this.#sets.push(new Set(sorted));
      id = this.#sets.length;
      this.#ids.set(text, id);
    }
    return id;
  }

  /** All sets there are; the first has number 1. */
  get all(): readonly ReadonlySet<number>[] {
    return this.#sets;
  }
}
