import { decodeStateDocument } from '../checkpoint/state-document.ts';
import { exportState, importState } from '../checkpoint/state-transfer.ts';
import { StoredSourceMemory } from '../checkpoint/stored-source-memory.ts';
import type { Checkpoint } from '../core/checkpoint.ts';
import { ConfigurationError, FatalError } from '../core/errors.ts';
import type { Settings } from '../core/settings.ts';
import type { SourceState } from '../core/source-state.ts';
import { withOwnedSource } from './owned-state.ts';

/** Everything that is stored for a source as one document; null where nothing is. */
export function exportCheckpoint(settings: Settings, source: string): Promise<string | null> {
  return withOwnedSource(settings, source, async ({ state: claim }) => {
    const { entries } = await claim();
    return entries.size === 0 ? null : exportState(source, entries);
  });
}

/**
 * Replaces everything that is stored for a source by a document that `exportCheckpoint` gave.
 * @param origin where the text comes from, for messages.
 * @throws ConfigurationError where any part of it cannot be read; nothing is changed then.
 */
export function importCheckpoint(settings: Settings, source: string, text: string, origin: string): Promise<void> {
  return withOwnedSource(settings, source, async ({ configured, stateToReplace: claim, signal }) => {
    // Read as the next start would read it, before anything is written.
    const checkpoint = readDocument(text, origin);
    if (checkpoint?.position) configured.connector.positions.decode(checkpoint.position);
    await importState(await claim(), source, text, origin, signal);
  });
}

/** The remedies for a state that is damaged in its store do not fit a file that was named by mistake. */
function readDocument(text: string, origin: string): Checkpoint | null {
  try {
    const { source, entries } = decodeStateDocument(text, origin);
    return new StoredSourceMemory(onlyEntries(entries), source).checkpoint;
  } catch (error) {
    if (!(error instanceof FatalError)) throw error;
    throw new ConfigurationError(error.message, {
      code: error.code,
      remedy: 'Name a file that `tailrace checkpoint export` of this version, or an older one, has written.',
      cause: error,
    });
  }
}

function onlyEntries(entries: ReadonlyMap<string, string>): SourceState {
  const never = () => Promise.reject(new Error('this state is only read'));
  return { entries, put: never, [Symbol.asyncDispose]: async () => {} };
}
