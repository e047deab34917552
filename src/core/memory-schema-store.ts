import type { SchemaStore, StoredVersion } from './schema-store.ts';

/** The schema store of a stream that is never repeated. */
export class MemorySchemaStore implements SchemaStore {
  readonly #stored = new Map<string, StoredVersion[]>();

  versions(relation: string): readonly StoredVersion[] {
    return this.#stored.get(relation) ?? [];
  }

  async add(relation: string, version: StoredVersion): Promise<void> {
    this.#stored.set(relation, [...this.versions(relation), version]);
  }
}
