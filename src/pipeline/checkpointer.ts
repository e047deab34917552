import type { Checkpoint, TopicProgress } from '../core/checkpoint.ts';
import type { Clock } from '../core/clock.ts';
import type { PositionCodec } from '../core/connector.ts';
import type { Sink } from '../core/sink.ts';
import type { SnapshotMemory } from '../core/snapshot-progress.ts';
import type { SourceMemory } from '../core/source-memory.ts';

export interface CheckpointerDependencies<P> {
  readonly source: string;
  readonly serverIdentity: string;
  readonly memory: SourceMemory;
  readonly sink: Sink;
  readonly positions: PositionCodec<P>;
  /** Step 3 of a delivery: the source may forget what lies before the position. */
  readonly acknowledge: (position: P) => void;
  /** Whether Kafka has acknowledged everything that was read: the position that was reached is then current. */
  readonly isSettled: () => boolean;
  readonly clock: Clock;
}

/**
 * Steps 2 and 3 of a delivery: what Kafka has acknowledged is saved, and only then acknowledged to the source. Saves never
 * overlap; a position reached while one is under way goes into the next.
 */
export class Checkpointer<P> {
  readonly #dependencies: CheckpointerDependencies<P>;
  #reached: P | null = null;
  #snapshot: SnapshotMemory | null = null;
  /** Who is to know when what snapshots have told is saved. */
  #onSnapshotSaved: (() => void)[] = [];
  /** What no save has held yet: the sink tells it once, and a save may fail. */
  readonly #unsavedTopics = new Map<string, TopicProgress>();
  #saved: string | null;
  #savedAtMs: number;
  #saving: Promise<void> | null = null;

  constructor(dependencies: CheckpointerDependencies<P>) {
    this.#dependencies = dependencies;
    this.#saved = dependencies.memory.checkpoint?.position ?? null;
    this.#savedAtMs = dependencies.memory.checkpoint?.savedAtMs ?? dependencies.clock.nowMs();
  }

  /** Text of the last saved position. */
  get savedPosition(): string | null {
    return this.#saved;
  }

  /** When the position was last saved, or nothing was there that a save could have held. */
  get savedAtMs(): number {
    return this.#savedAtMs;
  }

  /** Kafka has acknowledged everything before `position`. Called in stream order. */
  reached(position: P): void {
    this.#reached = position;
  }

  /** Kafka has acknowledged what these snapshots say is published. Called in stream order. */
  snapshotReached(snapshot: SnapshotMemory, onSaved: (() => void) | null = null): void {
    this.#snapshot = snapshot;
    if (onSaved !== null) this.#onSnapshotSaved.push(onSaved);
  }

  /** Saves the newest reached position, if it is not saved yet, and acknowledges it. */
  async save(signal: AbortSignal): Promise<void> {
    while (this.#saving !== null) await this.#saving;
    this.#saving = this.#saveReached(signal).finally(() => {
      this.#saving = null;
    });
    await this.#saving;
  }

  async #saveReached(signal: AbortSignal): Promise<void> {
    const position = this.#reached;
    const { source, serverIdentity, memory, sink, positions, acknowledge, isSettled, clock } = this.#dependencies;
    const nowMs = clock.nowMs();
    if (position === null) {
      if (isSettled()) this.#savedAtMs = nowMs;
      return;
    }
    const text = positions.encode(position);
    const snapshot = this.#snapshot;
    const told = this.#onSnapshotSaved.length;
    if (text !== this.#saved || snapshot !== null) {
      const checkpoint: Checkpoint = {
        formatVersion: 1,
        source,
        phase: 'streaming',
        serverIdentity,
        position: text,
        savedAtMs: nowMs,
      };
      for (const progress of sink.takeProgress()) this.#unsavedTopics.set(progress.topic, progress);
      await memory.save(checkpoint, positions.sortKey(position), [...this.#unsavedTopics.values()], snapshot, signal);
      if (this.#snapshot === snapshot) this.#snapshot = null;
      this.#unsavedTopics.clear();
      this.#saved = text;
      this.#savedAtMs = nowMs;
      for (const onSaved of this.#onSnapshotSaved.splice(0, told)) onSaved();
    } else if (isSettled()) {
      this.#savedAtMs = nowMs;
    }
    acknowledge(position);
  }
}
