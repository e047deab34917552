/**
 * What a table version was resolved to when it was first met, so that a replay after later DDL gives the same records.
 * The log carries names and types, but neither nullability nor defaults nor keys, and the catalog is read later than the
 * log was written.
 */
export interface SchemaStore {
  /** Versions of one relation in log order. `relation` is the source's own identity of the table (an OID, a name). */
  versions(relation: string): readonly StoredVersion[];
  /** Appends a version. Resolves when durable: only then may a record of it be sent. */
  add(relation: string, version: StoredVersion, signal: AbortSignal): Promise<void>;
}

export interface StoredVersion {
  /** Hash of the layout as the log gives it. */
  readonly layout: string;
  /** Position of the first change under this version: text that sorts as the source's log does. */
  readonly since: string;
  /** The connector's own JSON: nullability, defaults, key, labels. */
  readonly resolved: string;
}
