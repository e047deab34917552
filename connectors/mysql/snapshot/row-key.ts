import { type ChangeBatch, ChangeKind } from '../../../src/core/change-batch.ts';
import type { RowKey } from '../../../src/core/snapshot.ts';
import { type Column, RowCells, type TableVersion } from '../../../src/core/table.ts';
import type { ReadTable } from './read-table.ts';

const cells = new RowCells();

/**
 * The key of the row that a change leaves, in the text of `Chunk.keys`. Null where the table is another by now, or the log
 * did not carry it.
 */
export function rowKeyOf(table: ReadTable, batch: ChangeBatch<unknown>, index: number): RowKey | null {
  const version = batch.versions[index] ?? null;
  const { key } = table;
  if (version === null || key === null) return null;
  const isRead = batch.kinds[index] === ChangeKind.read;
  cells.reserve(version.columns.length);
  version.locate(batch, index, 'after', cells);
  const texts: string[] = [];
  for (const { name, place, form } of key.columns) {
    const at = placeOf(version, table.version, name, place);
    const start = at < 0 ? -1 : (cells.starts[at] as number);
    if (start < 0) return null;
    const end = cells.ends[at] as number;
    const text = isRead ? form.read(batch.bytes, start, end) : form.logged(batch.bytes, start, end);
    if (text === null) return null;
    texts.push(text);
  }
  return texts;
}

/** Where the change has the column of the key; -1 where that is of another type. */
function placeOf(version: TableVersion, known: TableVersion, name: string, place: number): number {
  if (version.fingerprint === known.fingerprint) return place;
  const at = version.columns.findIndex((column) => column.name === name);
  return isSameType(version.columns[at], known.columns[place]) ? at : -1;
}

function isSameType(one: Column | undefined, other: Column | undefined): boolean {
  if (one === undefined || other === undefined) return false;
  const { sourceType: a } = one;
  const { sourceType: b } = other;
  return a.typeName === b.typeName && a.length === b.length && a.scale === b.scale;
}
