import { ConfigurationError } from '../core/errors.ts';
import type { SourceState } from '../core/source-state.ts';
import { decodeStateDocument, encodeStateDocument } from './state-document.ts';

/** Everything that is stored for a source as one JSON document, which is also the format of the file store. */
export function exportState(source: string, entries: ReadonlyMap<string, string>): string {
  return encodeStateDocument({ source, entries });
}

/**
 * Replaces everything that is stored for `source` by a document that `exportState` gave, in one save.
 * @param origin where the text comes from, for messages.
 * @throws FatalError where the document is damaged, ConfigurationError where it is that of another source.
 */
export async function importState(
  state: SourceState,
  source: string,
  text: string,
  origin: string,
  signal: AbortSignal,
): Promise<void> {
  const document = decodeStateDocument(text, origin);
  if (document.source !== source) {
    throw new ConfigurationError(`${origin} was exported from source ${document.source}, not from ${source}`, {
      code: 'STATE_OF_ANOTHER_SOURCE',
      remedy: `Import it into source ${document.source}: a position means nothing to another database.`,
      source,
    });
  }
  const changes = new Map<string, string | null>(document.entries);
  for (const key of state.entries.keys()) if (!document.entries.has(key)) changes.set(key, null);
  await state.put(changes, signal);
}
