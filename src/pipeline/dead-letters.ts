import { type ChangeBatch, ChangeKind, type LogicalMessage, type RowImage } from '../core/change-batch.ts';
import type { TailraceError } from '../core/errors.ts';
import type { Metrics } from '../core/metrics.ts';
import type { SourceSettings } from '../core/settings.ts';
import type { OutgoingRecord, Sink, SinkTopic } from '../core/sink.ts';
import { CELL_ABSENT, CELL_NULL, CELL_UNAVAILABLE, qualifiedName, RowCells, type TableVersion } from '../core/table.ts';
import type { Ticket } from '../core/ticket.ts';
import { isMasked, shapeTable } from './table-shape.ts';

const OPERATIONS: Readonly<Record<number, string>> = {
  [ChangeKind.insert]: 'c',
  [ChangeKind.update]: 'u',
  [ChangeKind.delete]: 'd',
  [ChangeKind.truncate]: 't',
};

/** Stands for the table of a logical message in letters and counts, as in Debezium's transaction metadata. */
export const MESSAGE_COLLECTION = 'message';

/** What a letter shows of a column: its raw value, that there is one, or nothing. */
type Disclosure = 'shown' | 'masked' | 'excluded';

/**
 * Keeps changes that could not be published: one JSON record each in the source's dead-letter topic, with the raw values
 * as the log carried them (base64 of the source's text form), the reason and the transaction. Columns that must not leave
 * the process unmasked are not shown here either, unless they are part of the key. Nothing is left out without one of these
 * and a count.
 */
export class DeadLetters {
  readonly #settings: SourceSettings;
  readonly #topicName: string;
  readonly #sink: Sink;
  readonly #metrics: Metrics;
  readonly #cells = new RowCells();
  readonly #disclosures = new WeakMap<TableVersion, readonly Disclosure[]>();
  #topic: SinkTopic | null = null;
  readonly #tables = new Set<string>();

  constructor(settings: SourceSettings, topicName: string, sink: Sink, metrics: Metrics) {
    this.#settings = settings;
    this.#topicName = topicName;
    this.#sink = sink;
    this.#metrics = metrics;
  }

  /** Tables of which rows did not reach their topic. */
  get tables(): ReadonlySet<string> {
    return this.#tables;
  }

  /** Call once before `append` may be needed. */
  async prepare(signal: AbortSignal): Promise<void> {
    this.#topic ??= await this.#sink.topic(this.#topicName, signal);
  }

  appendRow(
    batch: ChangeBatch<unknown>,
    index: number,
    version: TableVersion,
    reason: TailraceError,
    transactionId: string | null,
    timestampMs: number,
    ticket: Ticket,
  ): void {
    const table = qualifiedName(version.id);
    this.#tables.add(table);
    const letter = {
      ...this.#heading(table, OPERATIONS[batch.kinds[index]!]!, transactionId, reason),
      before: batch.hasBefore[index] === 1 ? this.#image(batch, index, version, 'before') : null,
      after: hasAfter(batch.kinds[index]!) ? this.#image(batch, index, version, 'after') : null,
    };
    this.#send(letter, timestampMs, reason, ticket);
  }

  appendMessage(
    batch: ChangeBatch<unknown>,
    message: LogicalMessage,
    reason: TailraceError,
    transactionId: string | null,
    timestampMs: number,
    ticket: Ticket,
  ): void {
    const letter = {
      ...this.#heading(MESSAGE_COLLECTION, 'm', transactionId, reason),
      prefix: message.prefix,
      content: { base64: batch.bytes.toString('base64', message.contentStart, message.contentEnd) },
    };
    this.#send(letter, timestampMs, reason, ticket);
  }

  #heading(table: string, op: string, transaction: string | null, { code, message, remedy }: TailraceError) {
    return { source: this.#settings.name, table, op, transaction, reason: { code, message, remedy } };
  }

  #send(letter: { readonly table: string }, timestampMs: number, reason: TailraceError, ticket: Ticket): void {
    if (this.#topic === null) throw new TypeError('dead letters were not prepared');
    const bytes = Buffer.from(JSON.stringify(letter), 'utf8');
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
    this.#metrics
      .counter('tailrace_dead_letters_total')
      .bind({ source: this.#settings.name, table: letter.table, reason: reason.code })
      .add(1);
  }

  #image(batch: ChangeBatch<unknown>, index: number, version: TableVersion, image: RowImage): Record<string, unknown> {
    const cells = this.#cells;
    cells.reserve(version.columns.length);
    version.locate(batch, index, image, cells);
    const columns: Record<string, unknown> = {};
    const disclosures = this.#disclosuresOf(version);
    version.columns.forEach((column, i) => {
      const start = cells.starts[i]!;
      if (start === CELL_ABSENT || disclosures[i] === 'excluded') return;
      if (start === CELL_NULL) columns[column.name] = null;
      else if (start === CELL_UNAVAILABLE) columns[column.name] = { unavailable: true };
      else if (disclosures[i] === 'masked') columns[column.name] = { masked: true };
      else columns[column.name] = { base64: batch.bytes.toString('base64', start, cells.ends[i]!) };
    });
    return columns;
  }

  #disclosuresOf(version: TableVersion): readonly Disclosure[] {
    let disclosures = this.#disclosures.get(version);
    if (disclosures === undefined) {
      disclosures = disclosuresOf(version, this.#settings, this.#topicName);
      this.#disclosures.set(version, disclosures);
    }
    return disclosures;
  }
}

/** The key of a published record shows its columns whatever the rules for values are, so a letter does too. */
function disclosuresOf(version: TableVersion, settings: SourceSettings, topic: string): readonly Disclosure[] {
  const { key, value } = shapeTable(version, settings, topic);
  const keyed = new Set(key?.map(({ index }) => index));
  const valued = new Set(value.map(({ index }) => index));
  const table = qualifiedName(version.id);
  return version.columns.map((column, index) => {
    if (keyed.has(index)) return 'shown';
    if (!valued.has(index)) return 'excluded';
    return isMasked(`${table}.${column.name}`, settings.columns) ? 'masked' : 'shown';
  });
}

function hasAfter(kind: number): boolean {
  return kind === ChangeKind.insert || kind === ChangeKind.update;
}
