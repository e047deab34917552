import type { ChangeBatch } from '../../../src/core/change-batch.ts';
import type { RowKey, SnapshotTable } from '../../../src/core/snapshot.ts';
import { RowCells } from '../../../src/core/table.ts';

const cells = new RowCells();

/**
 * Texts of the key's columns in the row that a change leaves: the log has them as the server prints them, which is how
 * chunks take them. Null where the row does not have them all.
 */
export function rowKeyOf({ key }: SnapshotTable, batch: ChangeBatch<unknown>, index: number): RowKey | null {
  const version = batch.versions[index];
  if (key === null || version === null || version === undefined) return null;
  cells.reserve(version.columns.length);
  version.locate(batch, index, 'after', cells);
  const texts: string[] = [];
  for (const name of key) {
    const column = version.columns.findIndex((candidate) => candidate.name === name);
    const start = column < 0 ? -1 : cells.starts[column]!;
    if (start < 0) return null;
    texts.push(batch.bytes.toString('utf8', start, cells.ends[column]));
  }
  return texts;
}
