import assert from 'node:assert/strict';
import type avro from 'avsc';
import { avroType } from './avro-decoder.ts';
import type { GoldenTopic } from './golden-topics.ts';

/** A record with its Avro decoded by avsc: 64-bit integers are bigints, bytes Buffers. */
export interface PlainRecord {
  key: Fields | null;
  value: Fields | null;
  keySchema: string | null;
  valueSchema: string | null;
  headers: readonly (readonly [name: string, value: string])[];
}

export interface Fields {
  [field: string]: unknown;
}

/** A record as it was read, with the registered texts of its schemas. */
export interface ReceivedRecord {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly keySchema: string | null;
  readonly valueSchema: string | null;
  readonly headers: readonly (readonly [name: string, value: string])[];
}

/** What no two runs have in common: times, transaction numbers and places in the log. */
const VOLATILE = [
  'source.ts_ms',
  'source.ts_us',
  'source.ts_ns',
  'source.txId',
  'source.lsn',
  'source.sequence',
  'source.origin_lsn',
  'transaction.id',
  'ts_ms',
  'ts_us',
  'ts_ns',
].map((path) => path.split('.'));

const RUN_ID = '__debezium.context.runId';
const HEADER_BYTES = 5;

/** The records that Debezium wrote while it streamed, without what its snapshots wrote. */
export function streamedRecords(golden: GoldenTopic): PlainRecord[] {
  const records = golden.records.map(({ key, value, keySchema, valueSchema, headers }) => ({
    key: decode(key, keySchema),
    value: decode(value, valueSchema),
    keySchema,
    valueSchema,
    headers,
  }));
  return records.filter(({ value }) => !isOfSnapshot(value));
}

/** Rows of snapshots, and what an incremental one writes into its signalling table. */
function isOfSnapshot(value: Fields | null): boolean {
  if (value === null) return false;
  const { source, after } = value as { source?: { snapshot?: string }; after?: { type?: unknown } | null };
  if (source?.snapshot !== undefined && source.snapshot !== 'false') return true;
  return String(after?.type).startsWith('snapshot-window-');
}

export function decode(bytes: Buffer | null, schema: string | null): Fields | null {
  if (bytes === null) return null;
  assert.ok(schema !== null, 'a value has a schema');
  const type = typeOf(schema);
  const value = type.fromBuffer(bytes.subarray(HEADER_BYTES)) as Fields;
  assert.ok(type.toBuffer(value).equals(bytes.subarray(HEADER_BYTES)), 'avsc writes what it has read');
  return value;
}

/** Everything that is not as expected, one line each. */
export function differencesOf(expected: PlainRecord, ours: ReceivedRecord): string[] {
  return [
    ...differingPart('key', expected.key, expected.keySchema, ours.key, ours.keySchema),
    ...differingPart('value', expected.value, expected.valueSchema, ours.value, ours.valueSchema),
    ...differingHeaders(expected.headers, ours.headers),
  ];
}

function differingPart(
  part: string,
  expected: Fields | null,
  schema: string | null,
  bytes: Buffer | null,
  ourSchema: string | null,
): string[] {
  if (expected === null || bytes === null) {
    return expected === null && bytes === null ? [] : [`${part}: one is null: ${show(expected)} ${bytes?.length}`];
  }
  if (schema !== ourSchema) return [`${part} schema: ${difference(schema ?? '', ourSchema ?? '')}`];
  const ours = decode(bytes, ourSchema)!;
  const problems = [...incoherences(ours), ...takeVolatile(expected, ours)];
  const wanted = typeOf(schema!).toBuffer(expected);
  if (!wanted.equals(bytes.subarray(HEADER_BYTES))) {
    const fields = differingFields(expected, ours, part);
    problems.push(...(fields.length > 0 ? fields : [`${part}: other bytes for the same values`]));
  }
  return problems;
}

/** What can be said of our volatile values without another run: they agree with each other. */
function incoherences(ours: Fields): string[] {
  const source = ours.source as Record<string, bigint | string | null> | undefined;
  if (source === undefined) return [];
  const problems: string[] = [];
  for (const [name, times] of [
    ['source', source],
    ['envelope', ours as Record<string, bigint>],
  ] as const) {
    // Logical messages have the milliseconds only.
    if (typeof times.ts_us !== 'bigint') continue;
    if (times.ts_ms !== times.ts_us / 1000n) problems.push(`${name}.ts_ms: ${times.ts_ms} for ${times.ts_us} µs`);
    if (times.ts_ns !== times.ts_us * 1000n) problems.push(`${name}.ts_ns: ${times.ts_ns} for ${times.ts_us} µs`);
  }
  const [lastCommit, lsn] = JSON.parse(String(source.sequence)) as [string | null, string];
  if (lsn !== String(source.lsn)) problems.push(`source.sequence: ${source.sequence} at ${source.lsn}`);
  if (lastCommit !== null && BigInt(lastCommit) > BigInt(lsn)) problems.push(`source.sequence: ${source.sequence}`);
  return problems;
}

/** Puts our volatile values into the expected record, where both have one. */
function takeVolatile(expected: Fields, ours: Fields): string[] {
  const problems: string[] = [];
  for (const path of VOLATILE) {
    const last = path.at(-1)!;
    const inExpected = holderOf(expected, path);
    const inOurs = holderOf(ours, path);
    if (inExpected === null || inOurs === null || !(last in inExpected)) continue;
    if ((inExpected[last] === null) !== (inOurs[last] === null)) {
      problems.push(`${path.join('.')}: ${show(inExpected[last])} but ours is ${show(inOurs[last])}`);
    }
    inExpected[last] = inOurs[last];
  }
  return problems;
}

function holderOf(value: Fields, path: readonly string[]): Fields | null {
  let holder: Fields | null | undefined = value;
  for (const step of path.slice(0, -1)) holder = holder?.[step] as Fields | null | undefined;
  return holder ?? null;
}

function differingHeaders(expected: PlainRecord['headers'], ours: PlainRecord['headers']): string[] {
  const plain = (headers: PlainRecord['headers']) =>
    show(headers.map(([name, value]) => [name, name === RUN_ID ? '…' : value]));
  return plain(expected) === plain(ours) ? [] : [`headers: ${plain(expected)} but ours are ${plain(ours)}`];
}

function differingFields(expected: unknown, ours: unknown, path: string): string[] {
  if (isFields(expected) && isFields(ours)) {
    return Object.keys(expected).flatMap((name) => differingFields(expected[name], ours[name], `${path}.${name}`));
  }
  return show(expected) === show(ours) ? [] : [`${path}: ${show(expected)} but ours is ${show(ours)}`];
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !Buffer.isBuffer(value);
}

function difference(expected: string, ours: string): string {
  let at = 0;
  while (at < expected.length && expected[at] === ours[at]) at += 1;
  const from = Math.max(0, at - 60);
  return `at ${at}: …${expected.slice(from, at + 80)}… but ours is …${ours.slice(from, at + 80)}…`;
}

export function show(value: unknown): string {
  const text = JSON.stringify(value, (_name, item) => {
    if (typeof item === 'bigint') return `${item}n`;
    if (typeof item === 'number' && !(Math.abs(item) < Number.POSITIVE_INFINITY)) return String(item);
    if (Object.is(item, -0)) return '-0';
    if (item?.type === 'Buffer') return `0x${Buffer.from(item.data).toString('hex')}`;
    return item;
  });
  return text === undefined ? 'nothing' : text.length > 400 ? `${text.slice(0, 400)}…` : text;
}

const types = new Map<string, avro.Type>();

function typeOf(schema: string): avro.Type {
  let type = types.get(schema);
  if (type === undefined) {
    // Debezium lets a part of a name begin with a digit, which avsc refuses; names are not in the bytes.
    type = avroType(schema.replace(/(?<="namespace":"[^"]*\.)(?=\d)/g, '_'));
    types.set(schema, type);
  }
  return type;
}
