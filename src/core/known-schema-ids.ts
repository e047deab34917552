/**
 * Schema ids that survive a restart, so that a known schema needs no registry. Keys are opaque text; the store of a
 * source keeps them beside its checkpoint.
 */
export interface KnownSchemaIds {
  get(key: string): number | undefined;
  /** Resolves when durable. */
  put(key: string, id: number, signal: AbortSignal): Promise<void>;
}
