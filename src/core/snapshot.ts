import type { ChangeBatch } from './change-batch.ts';
import type { TableId } from './table.ts';

/**
 * Reads tables beside the stream of the same source, in views that are compared with what the stream has emitted. The calls
 * of one round: `openView` at a transaction boundary while the stream rests; the stream goes on and every transaction is
 * asked for in `contains` until `isPassed`; then, while the stream rests again, `read`; then the view is disposed.
 * Writes nothing to the source but what makes an idle log go on. One round at a time.
 */
export interface SnapshotReader<P> extends AsyncDisposable {
  /** What a view was, by its `mark`. @throws FatalError for text that no view of this kind of server has given. */
  recall(mark: string): ViewMark<P>;
  /** The captured tables as the catalog has them now, by name. Partitions or their root, as the stream names them. */
  readTables(signal: AbortSignal): Promise<readonly SnapshotTable[]>;
  /**
   * Keys that divide a table into at most `count` ranges of about the same size, in order: one less than there are
   * ranges. Empty where dividing would cost more than it gives. Of a table without a key they are places of rows, which a
   * row changes with every update: they mean something within one view only.
   */
  divide(table: SnapshotTable, count: number, signal: AbortSignal): Promise<readonly RowKey[]>;
  /**
   * Asks the database whether `filter` is a condition on the rows of `table`, without reading any.
   * @throws ConfigurationError where it is none.
   */
  checkFilter(table: SnapshotTable, filter: string, signal: AbortSignal): Promise<void>;
  /** The stream has emitted the transaction whose begin is change `index`. Called in log order from the opening on. */
  emitted(batch: ChangeBatch<P>, index: number): void;
  /**
   * Key of the row that change `index` leaves: of a row that was read, or of an insert or update of the stream. Null where
   * the log's form of it cannot be turned into text that `Chunk.keys` takes.
   */
  keyOf(table: SnapshotTable, batch: ChangeBatch<P>, index: number): RowKey | null;
  /**
   * Opens a view on which `readers` connections read at the same time. Everything that was emitted is visible in it, and
   * so is everything that a transaction wrote which ran when the reader was opened.
   * @throws TransientError where the server cannot be asked; FatalError where a table may not be read.
   */
  openView(request: ViewRequest<P>, signal: AbortSignal): Promise<SnapshotView<P> | ViewRefusal>;
}

/** A table to be read. */
export interface SnapshotTable {
  readonly id: TableId;
  /**
   * Columns that tell a row apart from the others in the log and in the table (never a custom message key), in the order
   * in which the table is read; null for a table without such columns, which is read whole in one view.
   */
  readonly key: readonly string[] | null;
  readonly estimatedRows: number | null;
}

/** Values of the columns of `SnapshotTable.key`, as text that the reader which gave it understands; it can be stored. */
export type RowKey = readonly string[];

export interface ViewRequest<P> {
  readonly tables: readonly SnapshotTable[];
  readonly readers: number;
  /** Where a stream would start again that goes on with what comes next; null where there is no stream. */
  readonly emittedUpTo: P | null;
}

/** There is no such view yet; it can be asked for again in a moment. */
export interface ViewRefusal {
  /** What is waited for, for the operator: such as an open transaction and its age. */
  readonly refusal: string;
}

/** Where in the log a view stands; known also when the view is gone. */
export interface ViewMark<P> {
  /** True only where the transaction whose begin is change `index` is certainly visible in the view. */
  contains(batch: ChangeBatch<P>, index: number): boolean;
  /** Whether a stream that goes on at `position` has emitted everything that is visible in the view. */
  isPassed(position: P): boolean;
}

export interface SnapshotView<P> extends ViewMark<P>, AsyncDisposable {
  /** Text for `SnapshotReader.recall`, in a later process too; it can be stored. */
  readonly mark: string;
  /** A change of kind `read` of the table, without a row: for what there is to tell of a row that is not there. */
  blank(table: SnapshotTable, signal: AbortSignal): Promise<BlankBatch<P>>;
  /**
   * Rows of a table in the order of its key, as changes of kind `read`, whose batches the caller releases. Gives the row
   * before the first limit that is met, and at least one. Several at the same time, each with a `reader` of its own below
   * `ViewRequest.readers`. Each row comes when it is known whether another follows.
   */
  read(chunk: Chunk, reader: number, signal: AbortSignal): AsyncGenerator<ChangeBatch<P>, ChunkEnd, void>;
}

/** One change without bytes of its own. It need not be released. */
export interface BlankBatch<P> extends ChangeBatch<P> {
  bytes: Buffer;
}

export interface Chunk {
  readonly table: SnapshotTable;
  /** Only rows behind this key, or place that `divide` gave; null: from the first on. */
  readonly after: RowKey | null;
  /** Only rows up to this key, itself included; null: to the last. */
  readonly upTo: RowKey | null;
  /** Only these rows, where they exist still, instead of a range. */
  readonly keys: readonly RowKey[] | null;
  /** SQL for a WHERE clause, from the operator; null: all rows. */
  readonly filter: string | null;
  /** Do not count for tables without a key. */
  readonly limits: ChunkLimits;
}

export interface ChunkLimits {
  readonly rows: number;
  readonly bytes: number;
  readonly timeMs: number;
}

export interface ChunkEnd {
  /** Key of the last row that was given; null where there was none or the table has no key. */
  readonly last: RowKey | null;
  /** Nothing is left of the range. */
  readonly isDone: boolean;
}

/** What the source block of a row that was read says of the snapshot. */
export type SnapshotMarker =
  | 'first'
  | 'first_in_data_collection'
  | 'true'
  | 'last_in_data_collection'
  | 'last'
  | 'incremental';
