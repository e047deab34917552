import type { KnownSchemaIds } from '../core/known-schema-ids.ts';
import type { SourceState } from '../core/source-state.ts';
import { isCount, StoredJson } from './stored-json.ts';

const PREFIX = 'schema-id/';

/** Registry ids, one entry `schema-id/<key>` each. */
export class StoredSchemaIds implements KnownSchemaIds {
  readonly #state: SourceState;
  readonly #ids = new Map<string, number>();

  /** @throws FatalError where a stored entry is damaged. */
  constructor(state: SourceState) {
    this.#state = state;
    for (const [key, text] of state.entries) {
      if (key.startsWith(PREFIX)) this.#ids.set(key.slice(PREFIX.length), decodeId(text, key));
    }
  }

  get(key: string): number | undefined {
    return this.#ids.get(key);
  }

  async put(key: string, id: number, signal: AbortSignal): Promise<void> {
    if (this.#ids.get(key) === id) return;
    await this.#state.put(new Map([[`${PREFIX}${key}`, JSON.stringify({ formatVersion: 1, id })]]), signal);
    this.#ids.set(key, id);
  }
}

function decodeId(text: string, key: string): number {
  const json = new StoredJson(text, `the schema id under ${key}`, 1);
  json.only(['id']);
  return json.field('id', isCount, 'a number');
}
