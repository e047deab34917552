import { type ChangeBatch, ChangeKind, type RowImage } from '../core/change-batch.ts';
import type { TailraceError } from '../core/errors.ts';
import type { Metrics } from '../core/metrics.ts';
import type { OutgoingRecord, Sink, SinkTopic } from '../core/sink.ts';
import { CELL_ABSENT, CELL_NULL, CELL_UNAVAILABLE, qualifiedName, RowCells, type TableVersion } from '../core/table.ts';
import type { Ticket } from '../core/ticket.ts';

const OPERATIONS: Readonly<Record<number, string>> = {
  [ChangeKind.insert]: 'c',
  [ChangeKind.update]: 'u',
  [ChangeKind.delete]: 'd',
  [ChangeKind.truncate]: 't',
};

/**
 * Keeps changes that could not be published: one JSON record each in the source's dead-letter topic, with the raw values
 * as the log carried them (base64 of the source's text form), the reason and the transaction. Nothing is left out without
 * one of these and a count.
 */
export class DeadLetters {
  readonly #source: string;
  readonly #topicName: string;
  readonly #sink: Sink;
  readonly #metrics: Metrics;
  readonly #cells = new RowCells();
  #topic: SinkTopic | null = null;

  constructor(source: string, topicName: string, sink: Sink, metrics: Metrics) {
    this.#source = source;
    this.#topicName = topicName;
    this.#sink = sink;
    this.#metrics = metrics;
  }

  /** Call once before `append` may be needed. */
  async prepare(signal: AbortSignal): Promise<void> {
    this.#topic ??= await this.#sink.topic(this.#topicName, signal);
  }

  append(
    batch: ChangeBatch<unknown>,
    index: number,
    version: TableVersion,
    reason: TailraceError,
    transactionId: string | null,
    timestampMs: number,
    ticket: Ticket,
  ): void {
    const table = qualifiedName(version.id);
    const letter = {
      source: this.#source,
      table,
      op: OPERATIONS[batch.kinds[index]!],
      transaction: transactionId,
      reason: { code: reason.code, message: reason.message, remedy: reason.remedy },
      before: batch.hasBefore[index] === 1 ? this.#image(batch, index, version, 'before') : null,
      after: hasAfter(batch.kinds[index]!) ? this.#image(batch, index, version, 'after') : null,
    };
    this.#send(JSON.stringify(letter), timestampMs, reason, ticket);
    this.#metrics
      .counter('tailrace_dead_letters_total')
      .bind({ source: this.#source, table, reason: reason.code })
      .add(1);
  }

  #send(json: string, timestampMs: number, reason: TailraceError, ticket: Ticket): void {
    if (this.#topic === null) throw new TypeError('dead letters were not prepared');
    const bytes = Buffer.from(json, 'utf8');
    const record: OutgoingRecord = {
      bytes,
      keyStart: -1,
      keyEnd: -1,
      valueStart: 0,
      valueEnd: bytes.length,
      headers: [],
      timestampMs,
      partition: 0,
    };
    // A dead letter that does not fit either leaves only the original reason to stop on.
    if (!this.#topic.append(record, ticket)) throw reason;
  }

  #image(batch: ChangeBatch<unknown>, index: number, version: TableVersion, image: RowImage): Record<string, unknown> {
    const cells = this.#cells;
    cells.reserve(version.columns.length);
    version.locate(batch, index, image, cells);
    const columns: Record<string, unknown> = {};
    version.columns.forEach((column, i) => {
      const start = cells.starts[i]!;
      if (start === CELL_ABSENT) return;
      if (start === CELL_NULL) columns[column.name] = null;
      else if (start === CELL_UNAVAILABLE) columns[column.name] = { unavailable: true };
      else columns[column.name] = { base64: batch.bytes.toString('base64', start, cells.ends[i]!) };
    });
    return columns;
  }
}

function hasAfter(kind: number): boolean {
  return kind === ChangeKind.insert || kind === ChangeKind.update;
}
