import type { Checkpoint, TopicProgress } from '../core/checkpoint.ts';
import { TailraceError } from '../core/errors.ts';
import type { SnapshotMemory } from '../core/snapshot-progress.ts';
import type { SourceMemory } from '../core/source-memory.ts';
import type { SourceState, StateStore } from '../core/source-state.ts';
import { CHECKPOINT_KEY, decodeCheckpoint, encodeCheckpoint } from './checkpoint-codec.ts';
import { decodeSnapshotMemory, encodeSnapshotMemory, SNAPSHOT_KEY } from './snapshot-memory-codec.ts';
import { StoredSchemaIds } from './stored-schema-ids.ts';
import { StoredSchemas } from './stored-schemas.ts';
import {
  decodeTopicProgress,
  encodeTopicProgress,
  isTopicProgressKey,
  topicProgressKey,
} from './topic-progress-codec.ts';

/** What only a state that replaces it can mend. */
const UNREADABLE = new Set(['STATE_DAMAGED', 'CHECKPOINT_TOPIC_CUT']);

/** The SourceMemory over a claimed state. */
export class StoredSourceMemory implements SourceMemory {
  readonly schemas: StoredSchemas;
  readonly schemaIds: StoredSchemaIds;
  readonly #state: SourceState;
  readonly #topics = new Map<string, TopicProgress>();
  #checkpoint: Checkpoint | null;
  #snapshot: SnapshotMemory | null;

  /** Takes the state over. @throws FatalError where something in it is damaged or of an unknown format. */
  constructor(state: SourceState, source: string) {
    this.#state = state;
    const text = state.entries.get(CHECKPOINT_KEY);
    this.#checkpoint = text === undefined ? null : decodeCheckpoint(text, source);
    const snapshot = state.entries.get(SNAPSHOT_KEY);
    this.#snapshot = snapshot === undefined ? null : decodeSnapshotMemory(snapshot, source);
    for (const [key, value] of state.entries) {
      if (!isTopicProgressKey(key)) continue;
      const progress = decodeTopicProgress(value, key);
      this.#topics.set(progress.topic, progress);
    }
    this.schemas = new StoredSchemas(state);
    this.schemaIds = new StoredSchemaIds(state.entries);
  }

  /** Claims the state of `source` and reads it. */
  static async open(store: StateStore, source: string, signal: AbortSignal): Promise<StoredSourceMemory> {
    return StoredSourceMemory.#over(await store.open(source, signal), source);
  }

  /** As `open`, for a source that starts over: of what cannot be read nothing is kept. */
  static async openToStartOver(store: StateStore, source: string, signal: AbortSignal): Promise<StoredSourceMemory> {
    try {
      return await StoredSourceMemory.open(store, source, signal);
    } catch (error) {
      if (!(error instanceof TailraceError) || !UNREADABLE.has(error.code)) throw error;
    }
    const state = await store.openToReplace(source, signal);
    try {
      await state.put(new Map([...state.entries.keys()].map((key) => [key, null])), signal);
    } catch (error) {
      await state[Symbol.asyncDispose]();
      throw error;
    }
    return StoredSourceMemory.#over(state, source);
  }

  static async #over(state: SourceState, source: string): Promise<StoredSourceMemory> {
    try {
      return new StoredSourceMemory(state, source);
    } catch (error) {
      await state[Symbol.asyncDispose]();
      throw error;
    }
  }

  get checkpoint(): Checkpoint | null {
    return this.#checkpoint;
  }

  get snapshot(): SnapshotMemory | null {
    return this.#snapshot;
  }

  get topics(): readonly TopicProgress[] {
    return [...this.#topics.values()];
  }

  async startOver(checkpoint: Checkpoint, kept: SnapshotMemory | null, signal: AbortSignal): Promise<void> {
    const ids = this.schemaIds.unsaved();
    const entries = new Map<string, string | null>([
      ...ids,
      ...[...this.#topics.keys()].map((topic) => [topicProgressKey(topic), null] as const),
      [CHECKPOINT_KEY, encodeCheckpoint(checkpoint)],
    ]);
    if (kept !== null) entries.set(SNAPSHOT_KEY, encodeSnapshotMemory(kept));
    else if (this.#snapshot !== null) entries.set(SNAPSHOT_KEY, null);
    await this.schemas.saveAndForgetAll(entries, signal);
    this.schemaIds.saved(ids);
    this.#topics.clear();
    this.#snapshot = kept;
    this.#checkpoint = checkpoint;
  }

  /** In the same save, table versions are forgotten that only what lies before the checkpoint needed. */
  async save(
    checkpoint: Checkpoint,
    replayFrom: string | null,
    topics: readonly TopicProgress[],
    snapshot: SnapshotMemory | null,
    signal: AbortSignal,
  ): Promise<void> {
    const ids = this.schemaIds.unsaved();
    const entries = new Map([
      ...ids,
      ...topics.map((progress) => [topicProgressKey(progress.topic), encodeTopicProgress(progress)] as const),
      ...(snapshot === null ? [] : [[SNAPSHOT_KEY, encodeSnapshotMemory(snapshot)] as const]),
      [CHECKPOINT_KEY, encodeCheckpoint(checkpoint)] as const,
    ]);
    await this.schemas.saveAndForget(entries, replayFrom, signal);
    this.schemaIds.saved(ids);
    for (const progress of topics) this.#topics.set(progress.topic, progress);
    this.#snapshot = snapshot ?? this.#snapshot;
    this.#checkpoint = checkpoint;
  }

  /** Saves the checkpoint as it is: stores have no other way to ask, and only a write is certain to be refused. */
  async confirm(signal: AbortSignal): Promise<void> {
    if (this.#checkpoint === null) return;
    await this.schemas.saveAndForget(new Map([[CHECKPOINT_KEY, encodeCheckpoint(this.#checkpoint)]]), null, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#state[Symbol.asyncDispose]();
  }
}
