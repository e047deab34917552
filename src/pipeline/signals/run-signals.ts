import type { SnapshotMemory } from '../../core/snapshot-progress.ts';
import type { InFlightBatch } from '../ack-tracker.ts';
import type { SourceSnapshots } from '../snapshot/source-snapshots.ts';
import type { StreamWatch } from '../stream-watch.ts';
import { SignalInbox } from './signal-inbox.ts';
import { SignalTable } from './signal-table.ts';
import { SignalTopicReader, type SignalTopicReaderParts } from './signal-topic-reader.ts';
import { SourceSignals, type SourceSignalsParts } from './source-signals.ts';

export interface RunSignalsParts<P>
  extends SourceSignalsParts<P>,
    Omit<SignalTopicReaderParts, 'topic' | 'received' | 'inbox'> {
  readonly snapshots: SourceSnapshots<P>;
  readonly table: string | null;
  readonly topic: string | null;
}

/** The signals of one run of a source: those of its table, which come in the stream, and those of its topic. */
export class RunSignals<P> implements AsyncDisposable {
  readonly #parts: RunSignalsParts<P>;
  readonly #signals: SourceSignals<P>;
  readonly #table: SignalTable<P> | null;
  /**
   * What has to see the stream at all times: a signal begins a snapshot also while the stream is silent, and it begins where
   * the stream is then.
   */
  readonly watch: StreamWatch<P>;

  constructor(parts: RunSignalsParts<P>) {
    this.#parts = parts;
    this.#signals = new SourceSignals(parts);
    this.#table = parts.table === null ? null : new SignalTable(parts.table, parts.snapshots);
    this.watch = this.#table ?? parts.snapshots;
  }

  /** The stream is at a boundary: what came is saved together with the position behind it. */
  settle(entry: InFlightBatch<P>): void {
    const found = this.#table?.take() ?? [];
    if (found.length === 0) return;
    this.#signals.receive(found);
    entry.snapshot = this.#parts.snapshots.memory;
    this.#signals.act();
  }

  /** Does what can be done now; to be called when a snapshot has ended. */
  act(): void {
    this.#signals.act();
  }

  /** Reads the topic, where there is one, until the signal is aborted. */
  async listen(signal: AbortSignal): Promise<void> {
    const { topic, snapshots } = this.#parts;
    if (topic === null) return;
    const reader = new SignalTopicReader({
      ...this.#parts,
      topic,
      received: (signals) => {
        this.#signals.receive(signals);
        snapshots.remember();
        this.#signals.act();
      },
    });
    await reader.run(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#signals[Symbol.asyncDispose]();
  }
}

/** Null where nothing brings signals to the source; what is stored of earlier ones is forgotten then. */
export function signalInbox(
  { table, topic }: { readonly table: string | null; readonly topic: string | null },
  stored: SnapshotMemory | null,
): SignalInbox | null {
  return table === null && topic === null ? null : new SignalInbox(stored?.signals ?? null, topic);
}
