import { type ChangeBatch, ChangeKind } from '../../core/change-batch.ts';
import { TailraceError } from '../../core/errors.ts';
import type { SignalText } from '../../core/signal.ts';
import { SIGNAL_COLUMNS } from '../../core/signal-table-shape.ts';
import { CELL_NULL, type Column, qualifiedName, RowCells, type TableVersion } from '../../core/table.ts';
import type { StreamWatch } from '../stream-watch.ts';
import { StringCapture } from '../string-capture.ts';
import type { SignalFault } from './parse-signal.ts';

/** A signal that is longer is none: it would be stored with every checkpoint. */
const MAX_DATA_CHARACTERS = 65_536;

/**
 * Reads the new rows of the signal table as they pass in the stream. They count when their transaction is published.
 * Passes everything on to the watch behind it.
 */
export class SignalTable<P> implements StreamWatch<P> {
  readonly #table: string;
  readonly #next: StreamWatch<P>;
  readonly #isSignalTable = new WeakMap<TableVersion, boolean>();
  readonly #cells = new RowCells(SIGNAL_COLUMNS);
  #lastVersion: TableVersion | null = null;
  #isLastSignalTable = false;
  #found: (SignalText | SignalFault)[] = [];

  constructor(table: string, next: StreamWatch<P>) {
    this.#table = table;
    this.#next = next;
  }

  /** What was read since the last call. To be asked for at a transaction boundary. */
  take(): readonly (SignalText | SignalFault)[] {
    const found = this.#found;
    if (found.length > 0) this.#found = [];
    return found;
  }

  began(batch: ChangeBatch<P>, index: number): void {
    this.#next.began(batch, index);
  }

  takes(batch: ChangeBatch<P>, index: number, version: TableVersion): boolean {
    if (version !== this.#lastVersion) this.#look(version);
    if (this.#isLastSignalTable && batch.kinds[index] === ChangeKind.insert) {
      this.#found.push(this.#readSafely(batch, index, version));
    }
    return this.#next.takes(batch, index, version);
  }

  truncated(batch: ChangeBatch<P>, index: number, tables: readonly TableVersion[]): readonly TableVersion[] {
    return this.#next.truncated(batch, index, tables);
  }

  altered(): void {
    this.#next.altered();
  }

  reached(position: P): boolean {
    return this.#next.reached(position) || this.#found.length > 0;
  }

  #look(version: TableVersion): void {
    let isSignalTable = this.#isSignalTable.get(version);
    if (isSignalTable === undefined) {
      isSignalTable = qualifiedName(version.id) === this.#table;
      this.#isSignalTable.set(version, isSignalTable);
    }
    this.#lastVersion = version;
    this.#isLastSignalTable = isSignalTable;
  }

  /** What cannot be read is no signal; whether it can be published is decided elsewhere. */
  #readSafely(batch: ChangeBatch<P>, index: number, version: TableVersion): SignalText | SignalFault {
    try {
      return this.#read(batch, index, version);
    } catch (error) {
      if (!(error instanceof TailraceError)) throw error;
      return { fault: `it cannot be read (${error.code})` };
    }
  }

  #read(batch: ChangeBatch<P>, index: number, version: TableVersion): SignalText | SignalFault {
    const { columns } = version;
    if (columns.length !== SIGNAL_COLUMNS) {
      return { fault: `the signal table has ${columns.length} columns instead of id, type and data` };
    }
    this.#cells.reserve(columns.length);
    version.locate(batch, index, 'after', this.#cells);
    const [id, type, data] = columns.map((column, place) => this.#text(batch, column, place));
    if (id === undefined || id === null || type === undefined || type === null || data === undefined) {
      return { fault: 'id, type and data are not text' };
    }
    if (data !== null && data.length > MAX_DATA_CHARACTERS) {
      return { fault: `data is longer than ${MAX_DATA_CHARACTERS} characters` };
    }
    return { id, type, data: data ?? '' };
  }

  /** Undefined where the column is not text. */
  #text(batch: ChangeBatch<P>, { codec }: Column, place: number): string | null | undefined {
    const start = this.#cells.starts[place]!;
    if (start === CELL_NULL) return null;
    if (start < 0 || codec.schema.type !== 'string') return undefined;
    const text = new StringCapture();
    return codec.write(batch.bytes, start, this.#cells.ends[place]!, text) ? text.value : undefined;
  }
}
