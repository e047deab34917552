import type { RowRead } from '../../../src/core/change-batch.ts';
import type { SnapshotMarker } from '../../../src/core/snapshot.ts';
import {
  writeCommitMs,
  writeFineCommitTimes,
  writeReadFrom,
  writeSourceOrigin,
} from '../../../src/core/source-fields.ts';
import type { TableVersion } from '../../../src/core/table.ts';
import { ConstantFragment, type ValueWriter } from '../../../src/core/value-writer.ts';
import { lsnDecimal } from '../protocol/lsn.ts';
import type { RowBatch, ViewPoint } from './row-batch.ts';

/** A whole source block: all rows of a table in one view have it in common, but for the edges of a snapshot. */
interface Block {
  readonly fragment: ConstantFragment;
  point: ViewPoint | null;
  marker: SnapshotMarker | null;
}

/**
 * The source block of rows that were read from their tables, as Debezium's snapshots have it: of an incremental one without
 * position; of the others the position is where the view stands. No transaction id is taken for reading, so none is told.
 */
export class RowSource {
  readonly #connectorName: string;
  readonly #topicPrefix: string;
  readonly #database: string;
  readonly #blocks = new WeakMap<TableVersion, Block>();
  #block: Block | null = null;
  #table: TableVersion | null = null;
  readonly #write = (out: ValueWriter): void => this.#writeFields(out);

  constructor(connectorName: string, topicPrefix: string, database: string) {
    this.#connectorName = connectorName;
    this.#topicPrefix = topicPrefix;
    this.#database = database;
  }

  write(out: ValueWriter, batch: RowBatch, index: number, table: TableVersion): void {
    const { marker } = batch.details[index] as RowRead;
    const block = this.#blockOf(table);
    if (block.point !== batch.point || block.marker !== marker) {
      block.fragment.reset();
      block.point = batch.point;
      block.marker = marker;
    }
    this.#block = block;
    this.#table = table;
    out.beginStruct();
    out.constant(block.fragment, this.#write);
    out.endStruct();
  }

  #blockOf(table: TableVersion): Block {
    let block = this.#blocks.get(table);
    if (block === undefined) {
      block = { fragment: new ConstantFragment(), point: null, marker: null };
      this.#blocks.set(table, block);
    }
    return block;
  }

  #writeFields(out: ValueWriter): void {
    const { lsn, timeUs } = this.#block!.point!;
    const marker = this.#block!.marker!;
    const isIncremental = marker === 'incremental';
    const position = `"${lsnDecimal(lsn.high, lsn.low)}"`;
    writeSourceOrigin(out, this.#connectorName, this.#topicPrefix);
    writeCommitMs(out, timeUs);
    writeReadFrom(out, marker, this.#database);
    out.field('sequence');
    out.present(0);
    out.text(`[${isIncremental ? position : 'null'},${position}]`);
    writeFineCommitTimes(out, timeUs);
    out.field('schema');
    out.text(this.#table!.id.schema ?? '');
    out.field('table');
    out.text(this.#table!.id.name);
    out.field('txId');
    out.absent(0);
    out.field('lsn');
    if (isIncremental) out.absent(0);
    else {
      out.present(0);
      out.long(lsn.high, lsn.low);
    }
    for (const name of ['xmin', 'origin', 'origin_lsn']) {
      out.field(name);
      out.absent(0);
    }
  }
}
