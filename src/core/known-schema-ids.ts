/**
 * Schema ids that survive a restart, so that a known schema needs no registry. Keys are opaque text; the store of a
 * source keeps them beside its checkpoint.
 */
export interface KnownSchemaIds {
  get(key: string): number | undefined;
  /** Durable with the next checkpoint: until then a restart asks the registry, which has it. */
  set(key: string, id: number): void;
}
