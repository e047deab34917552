import { createHash } from 'node:crypto';
import { DEFECTS } from '../unit/connectors/postgres/codecs/debezium-defects.ts';
import type { Fields, PlainRecord } from './golden-comparison.ts';
import type { GoldenTopic } from './golden-topics.ts';

/**
 * Where we differ from Debezium on purpose. What it wrote is amended to what we must write, and then compared like
 * everything else, so nothing is left out of the comparison.
 */
export interface GoldenDifference {
  /** First cell of its line in docs/debezium-differences.md. */
  readonly line: string;
  /** Null: all that have the topic. */
  readonly variants: readonly string[] | null;
  /** Without the prefix of its variant. */
  readonly topic: string;
  /** @returns how many things it changed; one that changes nothing is out of date. */
  amend(records: readonly PlainRecord[], golden: GoldenTopic): number;
  /** Subjects (without the variant's prefix) in which we register schemas of our own, and how many. */
  readonly newVersions?: Readonly<Record<string, number>>;
}

const UNAVAILABLE_HEADER = '__tailrace.unavailable_columns';

/** Each is a line of docs/debezium-differences.md. Topics whose comparison is a test of its own are not in here. */
export const GOLDEN_DIFFERENCES: readonly GoldenDifference[] = [
  ...DEFECTS.filter(({ op }) => op !== 'r').map(
    ({ why, variants, table, columns, ours }): GoldenDifference => ({
      line: why,
      variants,
      topic: table,
      amend: (records) => amendColumns(records, columns, ours),
    }),
  ),
  {
    line: 'a column with a default shows the default where it is NULL or was not logged',
    variants: null,
    topic: 'inv.t_default',
    amend: nullInsteadOfDefault,
  },
  {
    line: 'under REPLICA IDENTITY USING INDEX the key is the primary key, with zeros where the log lacks it',
    variants: null,
    topic: 'inv.ri_index',
    amend: keyOfIdentityIndex,
    newVersions: { 'inv.ri_index-key': 1 },
  },
  {
    line: 'a key column that is excluded from the value has another key schema in the stream than in the snapshot',
    variants: ['pg_props'],
    topic: 'inv.t_text',
    amend: firstKeySchema,
  },
  {
    line: 'column.mask.hash.v2 is not applied to a column whose source type is propagated',
    variants: ['pg_props'],
    topic: 'inv.t_text',
    amend: hashedColumn,
    // Before and after the label that is added to an enum of the same table.
    newVersions: { 'inv.t_text-value': 2 },
  },
  {
    line: 'an unchanged bytea that was not logged is published as NULL under base64',
    variants: ['pg_string', 'pg_micro'],
    topic: 'inv.toast',
    amend: (records) => placeholderFor(records, 'bigb'),
  },
  ...['inv.toast', 'inv.toast_nn'].map(
    (topic): GoldenDifference => ({
      line: 'nothing but its placeholder tells that a column was not logged',
      variants: null,
      topic,
      amend: headerOfUnavailableColumns,
    }),
  ),
];

/** Differences that other tests hold: their lines are in the page too. */
export const OTHER_LINES: readonly string[] = [
  ...DEFECTS.filter(({ op }) => op === 'r').map(({ why }) => why),
  'the id of a transaction is another one in BEGIN, in END and in every row',
  'logical messages are counted in END under the name of a Java object',
  'earlier rows get the key and the constraints of a later catalog',
  "a row of a snapshot has a txId, which was taken for nothing else, and the position and the time of the snapshot's start",
];

/** @returns what we must write instead of these records, which are changed. */
export function amended(golden: GoldenTopic, records: readonly PlainRecord[], used: Set<GoldenDifference>): void {
  for (const difference of differencesIn(golden)) {
    if (difference.amend(records, golden) > 0) used.add(difference);
  }
}

export function differencesIn({ variant, topic }: GoldenTopic): readonly GoldenDifference[] {
  return GOLDEN_DIFFERENCES.filter(
    (difference) => `${variant}.${difference.topic}` === topic && (difference.variants?.includes(variant) ?? true),
  );
}

/** Streamed rows are those of the snapshot with ids that are larger by 1000. */
function amendColumns(
  records: readonly PlainRecord[],
  columns: readonly string[],
  ours: Readonly<Record<string, unknown>>,
): number {
  let changed = 0;
  for (const { key, value } of records) {
    const row = String(Number(key?.id) % 1000);
    const after = value?.after as Fields | null | undefined;
    if (!(row in ours) || !after) continue;
    for (const column of columns) after[column] = ours[row];
    changed += 1;
  }
  return changed;
}

/** In old images that hold only the key: of every column that may be NULL the schema's default was published. */
function nullInsteadOfDefault(records: readonly PlainRecord[]): number {
  let changed = 0;
  for (const { value, valueSchema } of records) {
    const before = value?.before as Fields | null | undefined;
    if (!before) continue;
    for (const { name, type } of rowFields(valueSchema!)) {
      if (!Array.isArray(type) || !type.includes('null') || before[name] === null) continue;
      before[name] = null;
      changed += 1;
    }
  }
  return changed;
}

function keyOfIdentityIndex(records: readonly PlainRecord[], { topic }: GoldenTopic): number {
  const fields = '[{"name":"k1","type":"int"},{"name":"k2","type":"string"}]';
  const schema = `{"type":"record","name":"Key","namespace":"${topic}","fields":${fields},"connect.name":"${topic}.Key"}`;
  const keyOf = (row: Fields) => ({ k1: row.k1, k2: row.k2 });
  records.forEach((record, i) => {
    // A tombstone has the key of the deletion before it.
    const { before, after } = (record.value ?? records[i - 1]!.value) as {
      before: Fields | null;
      after: Fields | null;
    };
    record.key = keyOf((after ?? before)!);
    record.keySchema = schema;
  });
  // The update of an indexed column is a change of the key: deletion, tombstone (if there are any) and creation.
  const created = records.findIndex(({ headers }) => headers[0]?.[0] === '__debezium.oldkey');
  const headerKey = (record: PlainRecord) => JSON.stringify(record.key);
  for (const record of records) {
    record.headers = record.headers.map(([name, value]) => {
      if (name === '__debezium.newkey') return [name, headerKey(records[created]!)] as const;
      if (name === '__debezium.oldkey') return [name, headerKey(records[created - 1]!)] as const;
      return [name, value] as const;
    });
  }
  return records.length;
}

function firstKeySchema(records: readonly PlainRecord[], { topic, subjects }: GoldenTopic): number {
  const first = subjects.find(({ subject }) => subject === `${topic}-key`)!.schema;
  const others = records.filter(({ keySchema }) => keySchema !== first);
  for (const record of others) record.keySchema = first;
  return others.length;
}

/** SHA-256 over salt and value; the mask replaces the propagated type. */
function hashedColumn(records: readonly PlainRecord[]): number {
  let changed = 0;
  for (const record of records) {
    if (record.value === null) continue;
    const schema = record.valueSchema!;
    record.valueSchema = schema.replace(
      /(?<=\{"name":"vcn","type":\["null",\{"type":"string","connect\.parameters":)\{[^}]*\}/,
      '{"masked":"true"}',
    );
    const after = record.value.after as Fields | null;
    if (typeof after?.vcn === 'string') after.vcn = createHash('sha256').update(`SALT${after.vcn}`).digest('hex');
    if (record.valueSchema !== schema) changed += 1;
  }
  return changed;
}

const PLACEHOLDERS = ['__debezium_unavailable_value', 'TOASTED'];

/** A row whose other large columns were not logged. */
function placeholderFor(records: readonly PlainRecord[], column: string): number {
  let changed = 0;
  for (const { value } of records) {
    const after = value?.after as Fields | null | undefined;
    if (!after || !isPlaceholder(after.bigj) || after[column] !== null) continue;
    after[column] = PLACEHOLDERS[0];
    changed += 1;
  }
  return changed;
}

function headerOfUnavailableColumns(records: readonly PlainRecord[]): number {
  let changed = 0;
  for (const record of records) {
    const after = record.value?.after as Fields | null | undefined;
    const columns = Object.keys(after ?? {}).filter((name) => isPlaceholder(after![name]));
    if (columns.length === 0) continue;
    record.headers = [...record.headers, [UNAVAILABLE_HEADER, JSON.stringify(columns)]];
    changed += 1;
  }
  return changed;
}

/** In the forms that Debezium gives it: text, bytes, an array of it, an array of its character codes. */
function isPlaceholder(value: unknown): boolean {
  return PLACEHOLDERS.some((text) => {
    if (Buffer.isBuffer(value)) return value.toString('latin1') === text;
    if (!Array.isArray(value)) return value === text;
    return (
      (value.length === 1 && value[0] === text) ||
      (value.length > 1 && value.every(Number.isInteger) && String.fromCharCode(...value) === text)
    );
  });
}

/** Fields of the row in an envelope's schema. */
function rowFields(schema: string): readonly { readonly name: string; readonly type: unknown }[] {
  const envelope = JSON.parse(schema) as { fields: { name: string; type: [unknown, { fields: never[] }] }[] };
  return envelope.fields.find(({ name }) => name === 'before')!.type[1].fields;
}
