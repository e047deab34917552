import type { SourceState } from '../../../src/core/source-state.ts';

/** A SourceState in memory; `puts` is what was saved, save by save. */
export class MemorySourceState implements SourceState {
  readonly entries: Map<string, string>;
  readonly puts: Record<string, string | null>[] = [];
  /** Awaited before each save. */
  gate: () => Promise<void> = async () => {};
  disposed = false;

  constructor(entries: Record<string, string> = {}) {
    this.entries = new Map(Object.entries(entries));
  }

  async put(changes: ReadonlyMap<string, string | null>, signal: AbortSignal): Promise<void> {
    await this.gate();
    signal.throwIfAborted();
    this.puts.push(Object.fromEntries(changes));
    for (const [key, value] of changes) {
      if (value === null) this.entries.delete(key);
      else this.entries.set(key, value);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.disposed = true;
  }
}
