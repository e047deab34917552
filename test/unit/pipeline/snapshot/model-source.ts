/** A row: `value` is always logged, `large` only where it changed (as TOAST, or a minimal row image). */
export interface ModelRow {
  readonly value: number;
  readonly large: number;
}

export interface ModelChange {
  readonly key: number;
  /** Grows from change to change; the `value` of a row is the one that it was left with. */
  readonly version: number;
  /** Null: deleted. `large` null: unchanged and not logged. */
  readonly after: { readonly value: number; readonly large: number | null } | null;
  /** The new key of a row that had another before. */
  readonly isMoved: boolean;
}

export interface ModelTransaction {
  /** Null: truncates the table. */
  readonly changes: readonly ModelChange[] | null;
}

/**
 * A table whose transactions are in the log before they are visible, and become visible in any order that row locks allow:
 * a row that a transaction wrote is locked until that is visible.
 */
export class ModelSource {
  readonly log: ModelTransaction[] = [];
  readonly #hidden = new Set<number>();
  readonly #keys: number;
  readonly #locked = new Set<number>();
  #counter = 0;

  constructor(keys: number) {
    this.#keys = keys;
  }

  /** Commits a transaction of up to `size` changes, invisible at first. */
  write(choice: number, size: number): void {
    if (this.#truncatesHidden()) return;
    const rows = stateOf(this.log, () => true);
    const changes: ModelChange[] = [];
    let random = choice;
    const next = (below: number) => {
      random = (Math.imul(random, 1_103_515_245) + 12_345) >>> 0;
      return (random >>> 8) % below;
    };
    const mine = new Set<number>();
    const free = (key: number) => !this.#locked.has(key) || mine.has(key);
    const put = (key: number, after: ModelChange['after'], isMoved = false) => {
      changes.push({ key, version: this.#counter, after, isMoved });
      mine.add(key);
      this.#locked.add(key);
    };
    for (let i = 0; i < size; i++) {
      const key = next(this.#keys);
      if (!free(key)) continue;
      const row = rows.get(key);
      const value = ++this.#counter;
      const verb = next(6);
      if (row === undefined) {
        rows.set(key, { value, large: value });
        put(key, { value, large: value });
      } else if (verb === 0) {
        rows.delete(key);
        put(key, null);
      } else if (verb === 1) {
        const target = next(this.#keys);
        if (target === key || !free(target) || rows.has(target)) continue;
        rows.delete(key);
        rows.set(target, { value, large: row.large });
        put(key, null);
        put(target, { value, large: null }, true);
      } else if (verb <= 3) {
        rows.set(key, { value, large: row.large });
        put(key, { value, large: null });
      } else {
        rows.set(key, { value, large: value });
        put(key, { value, large: value });
      }
    }
    if (changes.length === 0) return;
    this.#hidden.add(this.log.length);
    this.log.push({ changes });
  }

  /** Needs the table for itself. */
  truncate(): void {
    if (this.#hidden.size > 0) return;
    this.#hidden.add(this.log.length);
    this.log.push({ changes: null });
  }

  /** Makes one of the hidden transactions visible, and ends its locks. */
  show(choice: number): void {
    const hidden = [...this.#hidden];
    const index = hidden[choice % hidden.length];
    if (index === undefined) return;
    this.#hidden.delete(index);
    for (const { key } of this.log[index]!.changes ?? []) this.#locked.delete(key);
  }

  showAll(): void {
    while (this.#hidden.size > 0) this.show(0);
  }

  isVisible(index: number): boolean {
    return !this.#hidden.has(index);
  }

  /** The table cannot be locked for reading while a truncate is under way. */
  get isLocked(): boolean {
    return this.#truncatesHidden();
  }

  /** Versions and rows that are visible now. */
  view(): ReadonlyMap<number, ModelRow> {
    return stateOf(this.log, (index) => this.isVisible(index));
  }

  rows(): Map<number, ModelRow> {
    return sorted(stateOf(this.log, () => true));
  }

  #truncatesHidden(): boolean {
    return [...this.#hidden].some((index) => this.log[index]!.changes === null);
  }
}

export function sorted<V>(map: ReadonlyMap<number, V>): Map<number, V> {
  return new Map([...map].sort(([a], [b]) => a - b));
}

function stateOf(log: readonly ModelTransaction[], counts: (index: number) => boolean): Map<number, ModelRow> {
  const rows = new Map<number, ModelRow>();
  for (const [index, { changes }] of log.entries()) {
    if (!counts(index)) continue;
    if (changes === null) rows.clear();
    let left: ModelRow | undefined;
    for (const { key, after, isMoved } of changes ?? []) {
      const before = isMoved ? left : rows.get(key);
      if (after === null) {
        left = rows.get(key);
        rows.delete(key);
      } else {
        rows.set(key, { value: after.value, large: after.large ?? before!.large });
      }
    }
  }
  return rows;
}
