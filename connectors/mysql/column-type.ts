import type { CatalogColumn } from './catalog-column.ts';
import { textDecoderOf } from './codecs/charset.ts';
import type { Dialect, MySqlType } from './mysql-type.ts';
import type { TableMap } from './protocol/table-map.ts';
import { TypeCode } from './protocol/type-code.ts';

/** Types whose bytes are text in a character set, or binary. */
const CHARACTER_TYPES: ReadonlySet<number> = new Set([
  TypeCode.varchar,
  TypeCode.varString,
  TypeCode.string,
  TypeCode.tinyBlob,
  TypeCode.mediumBlob,
  TypeCode.longBlob,
  TypeCode.blob,
  TypeCode.blobCompressed,
  TypeCode.varcharCompressed,
]);

const FRACTION_TYPES: ReadonlySet<number> = new Set([TypeCode.timestamp2, TypeCode.datetime2, TypeCode.time2]);

export interface TypeContext {
  readonly dialect: Dialect;
  /** Character sets by collation id. */
  readonly charsets: ReadonlyMap<number, string>;
}

/** The type of column `index`: from the log as far as it says, the rest from the catalog where that knows the column. */
export function mysqlTypeOf(
  context: TypeContext,
  map: TableMap,
  index: number,
  catalog: CatalogColumn | null,
): MySqlType {
  const code = map.types[index] as number;
  const metadata = map.metadata[index] as number;
  const isLabelled = code === TypeCode.enum || code === TypeCode.set;
  const charset = isLabelled || CHARACTER_TYPES.has(code) ? charsetOf(context, map, index, catalog, isLabelled) : null;
  return {
    dialect: context.dialect,
    code,
    length: code === TypeCode.newDecimal || FRACTION_TYPES.has(code) ? 0 : metadata,
    precision: code === TypeCode.newDecimal ? metadata >> 8 : 0,
    scale: code === TypeCode.newDecimal ? metadata & 0xff : FRACTION_TYPES.has(code) ? metadata : 0,
    unsigned: unsignedOf(map, index, catalog),
    charset,
    labels: isLabelled ? labelsOf(map, index, charset, catalog) : null,
    geometryType: code === TypeCode.geometry ? geometryTypeOf(map, index, catalog) : null,
    declared: catalog?.columnType ?? null,
  };
}

function unsignedOf(map: TableMap, index: number, catalog: CatalogColumn | null): boolean {
  const { unsigned } = map.optional;
  if (unsigned !== null) return unsigned[index] === 1;
  return /\b(unsigned|zerofill)\b/.test(catalog?.columnType.replace(/'[^']*'/g, '') ?? '');
}

function charsetOf(
  { charsets }: TypeContext,
  map: TableMap,
  index: number,
  catalog: CatalogColumn | null,
  isLabelled: boolean,
): string {
  const { collations, labelCollations } = map.optional;
  const collation = (isLabelled ? labelCollations : collations)?.[index] ?? null;
  const logged = collation === null ? undefined : charsets.get(collation);
  return logged ?? catalog?.charset ?? (isLabelled ? 'utf8mb4' : 'binary');
}

function labelsOf(map: TableMap, index: number, charset: string | null, catalog: CatalogColumn | null): string[] {
  const logged = map.optional.labels?.[index] ?? null;
  if (logged === null) return declaredLabels(catalog?.columnType ?? '');
  const decode = textDecoderOf(charset ?? 'utf8mb4') ?? ((bytes: Uint8Array) => Buffer.from(bytes).toString('utf8'));
  return logged.map((label) => decode(label));
}

/** The labels in `enum('a','it''s')`. */
export function declaredLabels(columnType: string): string[] {
  return [...columnType.matchAll(/'((?:[^']|'')*)'/g)].map(([, label = '']) => label.replaceAll("''", "'"));
}

/** By number. */
export const GEOMETRY_TYPES: readonly string[] = [
  'geometry',
  'point',
  'linestring',
  'polygon',
  'multipoint',
  'multilinestring',
  'multipolygon',
  'geometrycollection',
];

function geometryTypeOf(map: TableMap, index: number, catalog: CatalogColumn | null): number {
  const logged = map.optional.geometryTypes?.[index] ?? null;
  if (logged !== null) return logged;
  const name = (catalog?.columnType ?? '').replace(/^geomcollection$/, 'geometrycollection');
  return Math.max(0, GEOMETRY_TYPES.indexOf(name));
}
