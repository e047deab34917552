import { rawBytesCodec } from '../../src/core/codecs/binary.ts';
import type { ColumnCodec } from '../../src/core/table.ts';
import { arrayCodec } from './codecs/array.ts';
import { byteaCodec } from './codecs/binary.ts';
import { bitsArrayCodec, bitsCodec } from './codecs/bits.ts';
import { bool } from './codecs/boolean.ts';
import type { PostgresCodec } from './codecs/codec.ts';
import { dateCodec } from './codecs/date.ts';
import { float4, float8 } from './codecs/float.ts';
import {
  boxCodec,
  circleCodec,
  lineCodec,
  lineSegmentCodec,
  pathCodec,
  pointCodec,
  polygonCodec,
} from './codecs/geometry.ts';
import { hstoreCodec } from './codecs/hstore.ts';
import { int2, int4, int8, oid } from './codecs/integer.ts';
import { intervalCodec } from './codecs/interval.ts';
import { moneyCodec } from './codecs/money.ts';
import { numericCodec } from './codecs/numeric.ts';
import { postgisCodec } from './codecs/postgis.ts';
import { enumCodec, textCodec } from './codecs/text.ts';
import { timeCodec, zonedTimeCodec } from './codecs/time.ts';
import { timestampCodec, zonedTimestampCodec } from './codecs/timestamp.ts';
import { sparseVectorCodec, vectorCodec } from './codecs/vector.ts';
import { verifiedUtf8 } from './codecs/verified-utf8.ts';
import type { PgType, TypeModes } from './pg-type.ts';

export { sourceTypeOf } from './source-type.ts';

type MakeCodec = (typmod: number, modes: TypeModes) => PostgresCodec;

const text: MakeCodec = (_, modes) => textCodec(modes);

function namedText(name: string): MakeCodec {
  return (_, modes) => textCodec(modes, `io.debezium.data.${name}`);
}

/** The types of `pg_catalog` that Debezium knows, by `typname`. */
export const BUILT_IN_TYPES: ReadonlyMap<string, MakeCodec> = new Map<string, MakeCodec>([
  ['bool', () => bool],
  ['int2', () => int2],
  ['int4', () => int4],
  ['int8', () => int8],
  ['oid', () => oid],
  ['float4', () => float4],
  ['float8', () => float8],
  ['numeric', numericCodec],
  ['money', (_, modes) => moneyCodec(modes)],
  ['text', text],
  ['varchar', text],
  ['bpchar', text],
  ['char', text],
  ['name', text],
  ['bytea', (_, modes) => byteaCodec(modes)],
  ['uuid', namedText('Uuid')],
  ['json', namedText('Json')],
  ['jsonb', namedText('Json')],
  ['xml', namedText('Xml')],
  ['tsvector', namedText('Tsvector')],
  ['bit', bitsCodec],
  ['varbit', bitsCodec],
  ['date', (_, modes) => dateCodec(modes)],
  ['time', timeCodec],
  ['timetz', zonedTimeCodec],
  ['timestamp', timestampCodec],
  ['timestamptz', zonedTimestampCodec],
  ['interval', intervalCodec],
  ['inet', text],
  ['cidr', text],
  ['macaddr', text],
  ['macaddr8', text],
  ['int4range', text],
  ['int8range', text],
  ['numrange', text],
  ['tsrange', text],
  ['tstzrange', text],
  ['daterange', text],
  ['point', () => pointCodec],
  ['line', () => lineCodec],
  ['lseg', (_, modes) => lineSegmentCodec(modes)],
  ['box', (_, modes) => boxCodec(modes)],
  ['path', (_, modes) => pathCodec(modes)],
  ['polygon', (_, modes) => polygonCodec(modes)],
  ['circle', () => circleCodec],
]);

/** Types of extensions, which may be installed in any schema. */
export const EXTENSION_TYPES: ReadonlyMap<string, MakeCodec> = new Map<string, MakeCodec>([
  ['citext', text],
  ['isbn', text],
  ['ltree', namedText('Ltree')],
  ['hstore', (_, modes) => hstoreCodec(modes)],
  ['geometry', (_, modes) => postgisCodec('geometry', modes)],
  ['geography', (_, modes) => postgisCodec('geography', modes)],
  ['vector', (_, modes) => vectorCodec('vector', modes)],
  ['halfvec', (_, modes) => vectorCodec('halfvec', modes)],
  ['sparsevec', () => sparseVectorCodec],
]);

/** Element types whose arrays Debezium leaves out even when it includes unknown types. */
const NEVER_IN_ARRAYS = new Set(['money', 'name', 'interval', 'varbit', 'xml', 'point', 'refcursor']);

/** Element types whose arrays Debezium declares without NULL elements; so it does for enums and unknown types. */
const REQUIRED_ITEMS = new Set([
  ...['tsvector', 'line', 'lseg', 'box', 'path', 'polygon', 'circle'],
  ...['isbn', 'vector', 'halfvec', 'sparsevec'],
]);

const SEMICOLON = 0x3b;

/**
 * The codec of a column: what its values are in Connect's terms, and how the text that the server sends becomes them. The
 * text must have been made under `client_encoding=UTF8, DateStyle=ISO, IntervalStyle=postgres, TimeZone=UTC,
 * extra_float_digits=3, bytea_output=hex, lc_monetary=C`.
 * @param typmod `atttypmod`; -1: none.
 * @returns null where Debezium leaves such a column out (an unknown type, unless `modes.unknown` is `include`).
 */
export function columnCodec(type: PgType, typmod: number, modes: TypeModes): ColumnCodec | null {
  const codec = codecOf(type, typmod, modes);
  return codec === null || modes.textEncoding !== 'unverified' ? codec : verifiedUtf8(codec);
}

function codecOf(type: PgType, typmod: number, modes: TypeModes): PostgresCodec | null {
  if (type.base !== null) {
    return codecOf(type.base.type, type.base.typmod, modes);
  }
  if (type.element !== null && type.name.startsWith('_')) return arrayOf(type.element, typmod, modes);
  return knownCodec(type, typmod, modes) ?? (modes.unknown === 'include' ? rawBytesCodec(modes) : null);
}

function knownCodec(type: PgType, typmod: number, modes: TypeModes): PostgresCodec | null {
  if (type.kind === 'enum') return enumCodec(type.labels, modes);
  if (type.kind !== 'base' && type.kind !== 'range') return null;
  const known = type.schema === 'pg_catalog' ? BUILT_IN_TYPES : EXTENSION_TYPES;
  return known.get(type.name)?.(typmod, modes) ?? null;
}

function arrayOf(element: PgType, typmod: number, modes: TypeModes): PostgresCodec | null {
  const { name } = element;
  const isBuiltIn = element.schema === 'pg_catalog';
  if (isBuiltIn && NEVER_IN_ARRAYS.has(name)) return null;
  if (isBuiltIn && name === 'bit') return bitsArrayCodec(typmod, modes);
  const known = knownCodec(element, typmod, modes);
  if (known === null) return modes.unknown === 'include' ? arrayCodec(rawBytesCodec(modes), false, modes) : null;
  const itemsOptional = element.kind !== 'enum' && !REQUIRED_ITEMS.has(name);
  return arrayCodec(known, itemsOptional, modes, isBuiltIn && name === 'box' ? SEMICOLON : undefined);
}
