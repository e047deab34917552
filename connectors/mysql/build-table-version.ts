import type { SchemaDefault } from '../../src/core/connect-schema.ts';
import { shortHash } from '../../src/core/short-hash.ts';
import { type Column, type ColumnCodec, keyIndexes } from '../../src/core/table.ts';
import { columnCodec } from './column-codecs.ts';
import { columnDefault } from './column-default.ts';
import type { MySqlType, TypeModes } from './mysql-type.ts';
import type { RowLayout } from './protocol/row-layout.ts';
import { TypeCode } from './protocol/type-code.ts';
import { sourceTypeOf } from './source-type.ts';
import type { TableFacts } from './table-facts.ts';
import { MySqlTableVersion } from './table-version.ts';

/** Makes a table version of nothing but its arguments, so that a replay makes the same one. */
export function buildTableVersion(
  database: string,
  table: string,
  rows: RowLayout,
  facts: TableFacts,
  modes: TypeModes,
): MySqlTableVersion {
  const columns = buildColumns(facts, modes, columnCodec);
  return new MySqlTableVersion({
    id: { database, schema: null, name: table },
    fingerprint: fingerprintOf(database, table, facts),
    columns,
    key: keyIndexes(columns, facts.key),
    types: facts.columns.map(({ type }) => type),
    positions: Int32Array.from(columns, (_, index) => index),
    rows,
  });
}

/** Everything that tells one version from another is in the facts: they say how values are stored, too. */
export function fingerprintOf(database: string, table: string, facts: TableFacts): string {
  return shortHash(JSON.stringify([database, table]), JSON.stringify(facts));
}

/** @param codecOf of the form in which values come: those of the log, or of the result of a statement. */
export function buildColumns(
  facts: TableFacts,
  modes: TypeModes,
  codecOf: (type: MySqlType, modes: TypeModes) => ColumnCodec,
): Column[] {
  return facts.columns.map(({ name, type, nullable, default: expression, extra, comment }) => {
    const codec = documented(codecOf(type, modes), modes, comment);
    const standard = columnDefault(codec, type, expression, extra, nullable, modes);
    return {
      name,
      codec: nullable ? codec : withoutZeroDates(codec, type, standard),
      nullable,
      default: standard,
      sourceType: sourceTypeOf(type),
    };
  });
}

function documented(codec: ColumnCodec, { comments }: TypeModes, comment: string): ColumnCodec {
  if (!comments || comment === '') return codec;
  return {
    schema: { ...codec.schema, doc: comment },
    write: (bytes, start, end, out) => codec.write(bytes, start, end, out),
    writeFallback: (out) => codec.writeFallback(out),
    writeUnavailable: (out) => codec.writeUnavailable(out),
  };
}

const DATES: ReadonlySet<number> = new Set([
  TypeCode.date,
  TypeCode.newDate,
  TypeCode.datetime,
  TypeCode.datetime2,
  TypeCode.timestamp,
  TypeCode.timestamp2,
]);

/** A zero date is no date. Where the column cannot be null, its default stands for one, or the beginning of time. */
function withoutZeroDates(codec: ColumnCodec, type: MySqlType, standard: SchemaDefault | null): ColumnCodec {
  if (!DATES.has(type.code)) return codec;
  return {
    schema: codec.schema,
    write(bytes, start, end, out) {
      if (codec.write(bytes, start, end, out)) return true;
      if (standard === null) codec.writeFallback(out);
      else standard.write(out);
      return true;
    },
    writeFallback: codec.writeFallback,
    writeUnavailable: codec.writeUnavailable,
  };
}
