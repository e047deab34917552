import { type ChangeBatch, ChangeKind } from '../../../src/core/change-batch.ts';
import type { RowKey, SnapshotTable } from '../../../src/core/snapshot.ts';
import { RowCells } from '../../../src/core/table.ts';
import type { TypedTableVersion } from '../table-version.ts';
import { type KeyForm, keyFormOf } from './key-form.ts';

interface KeyColumn {
  readonly place: number;
  readonly form: KeyForm;
}

/** Keys of changes, as the text that `Chunk.keys` takes. */
export class RowKeys {
  /** By version and by the names of the key: null where the version does not have them. */
  readonly #columns = new WeakMap<TypedTableVersion, Map<string, readonly KeyColumn[] | null>>();
  readonly #cells = new RowCells();

  /** Null where the change did not carry the key, or its table has another. */
  of({ key }: SnapshotTable, batch: ChangeBatch<unknown>, index: number): RowKey | null {
    const version = batch.versions[index] as TypedTableVersion | null;
    const columns = version === null || key === null ? null : this.#columnsOf(version, key);
    if (version === null || columns === null) return null;
    const cells = this.#cells;
    cells.reserve(version.columns.length);
    version.locate(batch, index, 'after', cells);
    const isRead = batch.kinds[index] === ChangeKind.read;
    const texts: string[] = [];
    for (const { place, form } of columns) {
      const start = cells.starts[place] as number;
      if (start < 0) return null;
      const end = cells.ends[place] as number;
      texts.push(isRead ? form.read(batch.bytes, start, end) : form.logged(batch.bytes, start, end));
    }
    return texts;
  }

  #columnsOf(version: TypedTableVersion, key: readonly string[]): readonly KeyColumn[] | null {
    const byKey = this.#columns.get(version) ?? new Map<string, readonly KeyColumn[] | null>();
    this.#columns.set(version, byKey);
    const name = key.join('\n');
    let columns = byKey.get(name);
    if (columns === undefined) {
      columns = keyColumns(version, key);
      byKey.set(name, columns);
    }
    return columns;
  }
}

function keyColumns({ columns, types }: TypedTableVersion, key: readonly string[]): readonly KeyColumn[] | null {
  const found: KeyColumn[] = [];
  for (const name of key) {
    const place = columns.findIndex((column) => column.name === name);
    const type = types[place];
    const form = type === undefined ? null : keyFormOf(type);
    if (form === null) return null;
    found.push({ place, form });
  }
  return found;
}
