import { createHash } from 'node:crypto';
import type { Column } from '../../src/core/table.ts';
import { columnCodec } from './column-codecs.ts';
import { columnDefault } from './column-default.ts';
import type { TypeModes } from './mysql-type.ts';
import type { RowLayout } from './protocol/row-layout.ts';
import { sourceTypeOf } from './source-type.ts';
import type { TableFacts } from './table-facts.ts';
import { MySqlTableVersion } from './table-version.ts';

/** Makes a table version of nothing but its arguments, so that a replay makes the same one. */
export function buildTableVersion(
  database: string,
  table: string,
  layout: string,
  rows: RowLayout,
  facts: TableFacts,
  modes: TypeModes,
): MySqlTableVersion {
  const columns = facts.columns.map(({ name, type, nullable, default: expression, extra }): Column => {
    const codec = columnCodec(type, modes);
    return {
      name,
      codec,
      nullable,
      default: columnDefault(codec, type, expression, extra, nullable),
      sourceType: sourceTypeOf(type),
    };
  });
  const key = facts.key?.map((name) => columns.findIndex((column) => column.name === name)) ?? null;
  return new MySqlTableVersion({
    id: { database, schema: null, name: table },
    fingerprint: createHash('sha256').update(layout).update(JSON.stringify(facts)).digest('hex').slice(0, 32),
    columns,
    key: key === null || key.includes(-1) ? null : key,
    positions: Int32Array.from(columns, (_, index) => index),
    rows,
  });
}
