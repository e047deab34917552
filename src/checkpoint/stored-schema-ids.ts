import type { KnownSchemaIds } from '../core/known-schema-ids.ts';
import { isCount, StoredJson } from './stored-json.ts';

const PREFIX = 'schema-id/';

/** Registry ids, one entry `schema-id/<key>` each. New ones wait for the next save of the source's memory. */
export class StoredSchemaIds implements KnownSchemaIds {
  readonly #ids = new Map<string, number>();
  readonly #unsaved = new Map<string, string>();

  /** @throws FatalError where a stored entry is damaged. */
  constructor(entries: ReadonlyMap<string, string>) {
    for (const [key, text] of entries) {
      if (key.startsWith(PREFIX)) this.#ids.set(key.slice(PREFIX.length), decodeId(text, key));
    }
  }

  get(key: string): number | undefined {
    return this.#ids.get(key);
  }

  set(key: string, id: number): void {
    if (this.#ids.get(key) === id) return;
    this.#ids.set(key, id);
    this.#unsaved.set(`${PREFIX}${key}`, JSON.stringify({ formatVersion: 1, id }));
  }

  /** Entries that no save has held yet. */
  unsaved(): ReadonlyMap<string, string> {
    return new Map(this.#unsaved);
  }

  /** A save held these. Others that came meanwhile wait for the next. */
  saved(entries: ReadonlyMap<string, string>): void {
    for (const [key, text] of entries) if (this.#unsaved.get(key) === text) this.#unsaved.delete(key);
  }
}

function decodeId(text: string, key: string): number {
  const json = new StoredJson(text, `the schema id under ${key}`, 1);
  json.only(['id']);
  return json.field('id', isCount, 'a number');
}
