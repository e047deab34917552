import type { Checkpoint, TopicProgress } from './checkpoint.ts';
import type { KnownSchemaIds } from './known-schema-ids.ts';
import type { SchemaStore } from './schema-store.ts';
import type { SnapshotMemory } from './snapshot-progress.ts';

/** A source's durable memory as its pipeline sees it: a typed view of one SourceState, owned until disposed. */
export interface SourceMemory extends AsyncDisposable {
  /** The last saved checkpoint, or null. */
  readonly checkpoint: Checkpoint | null;
  readonly topics: readonly TopicProgress[];
  /** What the last save said of snapshots, or null. */
  readonly snapshot: SnapshotMemory | null;
  readonly schemas: SchemaStore;
  readonly schemaIds: KnownSchemaIds;
  /**
   * Saves the checkpoint of a source that starts over, and in the same save forgets everything of before but the registry's
   * ids: how far topics and snapshots had come but for what is `kept` of them, and the versions of tables.
   * @throws OwnershipLostError where a newer owner exists.
   */
  startOver(checkpoint: Checkpoint, kept: SnapshotMemory | null, signal: AbortSignal): Promise<void>;
  /**
   * Saves a checkpoint, how far the topics have come and what of snapshots is published (null: as it was), all or nothing.
   * `replayFrom` is the sort key of its position:
   * table versions that no replay from there can need are forgotten (null: none are).
   * @throws OwnershipLostError where a newer owner exists.
   */
  save(
    checkpoint: Checkpoint,
    replayFrom: string | null,
    topics: readonly TopicProgress[],
    snapshot: SnapshotMemory | null,
    signal: AbortSignal,
  ): Promise<void>;
  /**
   * Proves by a write that no newer owner exists.
   * @throws OwnershipLostError where one does.
   */
  confirm(signal: AbortSignal): Promise<void>;
}
