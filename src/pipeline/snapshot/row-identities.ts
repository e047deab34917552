import type { ChangeBatch, RowImage } from '../../core/change-batch.ts';
import type { IdentityWriter, RecordEncoder } from '../../core/encoder.ts';
import { CELL_ABSENT, CELL_UNAVAILABLE, RowCells, type TableVersion } from '../../core/table.ts';

interface Identity {
  readonly columns: readonly number[];
  readonly writer: IdentityWriter;
}

/** Tells rows apart by the columns that identify them in the log, whichever form the source sent them in. */
export class RowIdentities {
  readonly #encoder: RecordEncoder;
  readonly #keyOf: (version: TableVersion) => readonly string[] | null;
  #identities = new WeakMap<TableVersion, Identity | null>();
  readonly #before = new RowCells();
  readonly #after = new RowCells();

  /** `keyOf` gives the names of the columns that a table's rows are told apart by. */
  constructor(encoder: RecordEncoder, keyOf: (version: TableVersion) => readonly string[] | null) {
    this.#encoder = encoder;
    this.#keyOf = keyOf;
  }

  /** Tables are told apart by other columns from now on. */
  forget(): void {
    this.#identities = new WeakMap();
  }

  /** Null where the image does not carry all of the columns. What the row was before stands in for what is unchanged. */
  of(batch: ChangeBatch<unknown>, index: number, version: TableVersion, image: RowImage): string | null {
    const identity = this.#identity(version);
    if (identity === null) return null;
    const cells = image === 'before' ? this.#before : this.#after;
    locate(batch, index, version, image, cells);
    if (image === 'after' && batch.hasBefore[index] === 1 && lacks(cells, identity.columns)) {
      locate(batch, index, version, 'before', this.#before);
      for (const column of identity.columns) fill(cells, this.#before, column);
    }
    return lacks(cells, identity.columns) ? null : this.#text(identity.writer, batch, cells);
  }

  /** Whether the image after the change has a value, or NULL, for every column. */
  isComplete(batch: ChangeBatch<unknown>, index: number, version: TableVersion): boolean {
    locate(batch, index, version, 'after', this.#after);
    for (let column = 0; column < version.columns.length; column++) {
      if (isMissing(this.#after.starts[column]!)) return false;
    }
    return true;
  }

  #identity(version: TableVersion): Identity | null {
    const known = this.#identities.get(version);
    if (known !== undefined) return known;
    const columns = this.#keyOf(version)?.map((name) => version.columns.findIndex((column) => column.name === name));
    const identity =
      columns === undefined || columns.includes(-1)
        ? null
        : { columns, writer: this.#encoder.identityWriter(version, columns) };
    this.#identities.set(version, identity);
    return identity;
  }

  #text(writer: IdentityWriter, batch: ChangeBatch<unknown>, cells: RowCells): string {
    const { output } = this.#encoder;
    output.reset();
    writer.write(batch, cells);
    const text = output.bytes.toString('latin1', 0, output.length);
    output.reset();
    return text;
  }
}

function locate(
  batch: ChangeBatch<unknown>,
  index: number,
  version: TableVersion,
  image: RowImage,
  cells: RowCells,
): void {
  cells.reserve(version.columns.length);
  version.locate(batch, index, image, cells);
}

function lacks(cells: RowCells, columns: readonly number[]): boolean {
  return columns.some((column) => isMissing(cells.starts[column]!));
}

function fill(cells: RowCells, before: RowCells, column: number): void {
  if (!isMissing(cells.starts[column]!)) return;
  cells.starts[column] = before.starts[column]!;
  cells.ends[column] = before.ends[column]!;
}

function isMissing(start: number): boolean {
  return start === CELL_UNAVAILABLE || start === CELL_ABSENT;
}
