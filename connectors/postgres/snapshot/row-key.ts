import type { ChangeBatch } from '../../../src/core/change-batch.ts';
import type { RowKey, SnapshotTable } from '../../../src/core/snapshot.ts';
import { RowCells } from '../../../src/core/table.ts';

const cells = new RowCells();

/** Key of the row that a change leaves; null where its image lacks a column of it. Stream and COPY have the same text. */
export function rowKeyOf(table: SnapshotTable, batch: ChangeBatch<unknown>, index: number): RowKey | null {
  const version = batch.versions[index];
  if (table.key === null || version === null || version === undefined) return null;
  cells.reserve(version.columns.length);
  version.locate(batch, index, 'after', cells);
  const key: string[] = [];
  for (const name of table.key) {
    const column = version.columns.findIndex((each) => each.name === name);
    const start = column < 0 ? -1 : cells.starts[column]!;
    if (start < 0) return null;
    key.push(batch.bytes.toString('utf8', start, cells.ends[column]!));
  }
  return key;
}
