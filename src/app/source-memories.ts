import { StoredSourceMemory } from '../checkpoint/stored-source-memory.ts';
import { OwnershipLostError, ResyncRequiredError, TransientError } from '../core/errors.ts';
import type { StateStore } from '../core/source-state.ts';

/**
 * The memory of one source for each of its attempts. A source that has had a checkpoint and finds none any more is not one
 * that starts for the first time: not every database has a slot that tells.
 */
export class SourceMemories {
  readonly #store: StateStore;
  readonly #source: string;
  #last: StoredSourceMemory | null = null;

  constructor(store: StateStore, source: string) {
    this.#store = store;
    this.#source = source;
  }

  /** @throws ResyncRequiredError where the checkpoint of the attempt before is gone, and `resync` is false. */
  async open(resync: boolean, signal: AbortSignal): Promise<StoredSourceMemory> {
    const open = resync ? StoredSourceMemory.openToStartOver : StoredSourceMemory.open;
    const memory = await open(this.#store, this.#source, signal).catch((error: unknown) => {
      throw isLocked(error) ? stillLocked(error) : error;
    });
    const before = this.#last?.checkpoint ?? null;
    if (before !== null && memory.checkpoint === null && !resync) {
      await memory[Symbol.asyncDispose]();
      throw new ResyncRequiredError(`The checkpoint of source ${this.#source} is gone: it was there a moment ago`, {
        code: 'CHECKPOINT_LOST',
        remedy:
          'Restore the topic or the file, or import an exported checkpoint with `tailrace checkpoint import`, and resume; ' +
          `or take a new snapshot: tailrace resync ${this.#source}.`,
        source: this.#source,
        ...(before.position === null ? {} : { position: before.position }),
      });
    }
    this.#last = memory;
    return memory;
  }
}

function isLocked(error: unknown): error is OwnershipLostError {
  return error instanceof OwnershipLostError && error.code === 'STATE_LOCKED';
}

/**
 * The log of the database is ours, so whoever has the lock ends, or stands still: nobody has overtaken us, and the lock is
 * free in a moment, or once that process is gone.
 */
function stillLocked(error: OwnershipLostError): TransientError {
  const { message, code, remedy, source } = error;
  return new TransientError(message, { code, remedy, cause: error, ...(source === undefined ? {} : { source }) });
}
