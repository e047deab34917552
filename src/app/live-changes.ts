import type { LiveChange, Row } from '../cli/change-line.ts';
import {
  type ChangeBatch,
  ChangeKind,
  type Heartbeat,
  type LogicalMessage,
  type RowImage,
  type TransactionBegin,
  type TransactionCommit,
  type Truncate,
} from '../core/change-batch.ts';
import { MalformedValueError } from '../core/errors.ts';
import { CELL_NULL, type Column, qualifiedName, RowCells, type TableVersion } from '../core/table.ts';
import { textOrBytes } from './message-content.ts';
import { PlainValueWriter } from './plain-value-writer.ts';

/** What stands for the table of a logical message, as in the name of its topic. */
export const MESSAGE_TABLE = 'message';

/**
 * Turns the batches of a stream into changes for people. A column that the log did not carry (of an old image, or a large
 * value that did not change) is missing from its row.
 */
export class LiveChanges {
  readonly #emit: (change: LiveChange) => void;
  readonly #withMessages: boolean;
  readonly #cells = new RowCells();
  readonly #writer = new PlainValueWriter();
  #committedAtMs = 0;

  constructor(emit: (change: LiveChange) => void, withMessages: boolean) {
    this.#emit = emit;
    this.#withMessages = withMessages;
  }

  /** Emits the batch's changes in order. @returns how far a stream may be acknowledged after it; null where no further. */
  take<P>(batch: ChangeBatch<P>): P | null {
    let resumeAt: P | null = null;
    for (let index = 0; index < batch.count; index++) {
      const detail = batch.details[index];
      switch (batch.kinds[index]) {
        case ChangeKind.begin:
          this.#committedAtMs = Math.floor((detail as TransactionBegin).commitTimeUs / 1000);
          break;
        case ChangeKind.commit:
        case ChangeKind.heartbeat:
          resumeAt = (detail as TransactionCommit<P> | Heartbeat<P>).resumeAt;
          break;
        case ChangeKind.truncate:
          for (const { id } of (detail as Truncate).tables) this.#emitChange('t', qualifiedName(id), null, null, null);
          break;
        case ChangeKind.message:
          if (this.#withMessages) this.#message(batch, detail as LogicalMessage);
          break;
        default:
          this.#row(batch, index, batch.versions[index]!);
      }
    }
    return resumeAt;
  }

  #row(batch: ChangeBatch<unknown>, index: number, version: TableVersion): void {
    const kind = batch.kinds[index];
    const before = batch.hasBefore[index] === 1 ? this.#image(batch, index, version, 'before') : null;
    const after = kind === ChangeKind.delete ? null : this.#image(batch, index, version, 'after');
    const op = kind === ChangeKind.insert ? 'c' : kind === ChangeKind.update ? 'u' : 'd';
    this.#emitChange(op, qualifiedName(version.id), keyOf(version, after ?? before ?? {}), before, after);
  }

  #image(batch: ChangeBatch<unknown>, index: number, version: TableVersion, image: RowImage): Row {
    const cells = this.#cells;
    cells.reserve(version.columns.length);
    version.locate(batch, index, image, cells);
    const entries: [string, unknown][] = [];
    version.columns.forEach((column, i) => {
      const start = cells.starts[i]!;
      if (start >= 0) entries.push([column.name, this.#value(column, batch.bytes, start, cells.ends[i]!)]);
      else if (start === CELL_NULL) entries.push([column.name, null]);
    });
    return Object.fromEntries(entries);
  }

  /** A value that its type's schema cannot express is shown as the server wrote it. */
  #value(column: Column, bytes: Buffer, start: number, end: number): unknown {
    try {
      if (column.codec.write(bytes, start, end, this.#writer)) return this.#writer.take();
    } catch (error) {
      if (!(error instanceof MalformedValueError || error instanceof RangeError)) throw error;
    }
    this.#writer.take();
    return bytes.toString('utf8', start, end);
  }

  #message(batch: ChangeBatch<unknown>, { prefix, transactional, contentStart, contentEnd }: LogicalMessage): void {
    if (!transactional) this.#committedAtMs = batch.receivedAtMs;
    const content = textOrBytes(batch.bytes.subarray(contentStart, contentEnd));
    this.#emitChange('m', MESSAGE_TABLE, { prefix }, null, { prefix, content });
  }

  #emitChange(op: LiveChange['op'], table: string, key: Row | null, before: Row | null, after: Row | null): void {
    this.#emit({ atMs: this.#committedAtMs, op, table, key, before, after });
  }
}

function keyOf(version: TableVersion, row: Row): Row | null {
  if (version.key === null) return null;
  return Object.fromEntries(
    version.key.map((index) => {
      const { name } = version.columns[index]!;
      return [name, row[name] ?? null];
    }),
  );
}
