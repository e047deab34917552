import { readdirSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

/** One topic as one of Debezium's connectors wrote it. */
export interface GoldenTopic {
  /** `pg_default`: the connector, and the prefix of its topics. */
  readonly variant: string;
  /** Whole name on the broker. */
  readonly topic: string;
  /** Schemas in the order of their registration. */
  readonly subjects: readonly { readonly subject: string; readonly schema: string }[];
  readonly records: readonly GoldenBytes[];
}

/** A record's bytes, with the registered texts of the schemas that its ids stand for. */
export interface GoldenBytes {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly keySchema: string | null;
  readonly valueSchema: string | null;
  readonly headers: readonly (readonly [name: string, value: string])[];
}

interface GoldenFile {
  readonly topic: string;
  readonly subjects: Partial<Record<'key' | 'value', { subject: string; id: number; schema: string }[]>>;
  readonly records: readonly {
    readonly headers?: readonly { readonly key: string; readonly text: string }[];
    readonly keyId: number | null;
    readonly valueId: number | null;
    readonly keyHex: string | null;
    readonly valueHex: string | null;
  }[];
}

export type GoldenDatabase = 'postgres' | 'mysql' | 'mariadb';

function folderOf(database: GoldenDatabase): URL {
  return new URL(`../fixtures/goldens/${database}/`, import.meta.url);
}

export function goldenSql(
  name: '00-schema-and-snapshot-rows' | '01-stream' | '02-signal',
  database: GoldenDatabase = 'postgres',
): string {
  return readFileSync(new URL(`${name}.sql`, folderOf(database)), 'utf8');
}

/** Debezium's own configurations by variant. */
export function goldenConnectors(
  database: GoldenDatabase = 'postgres',
): Readonly<Record<string, Readonly<Record<string, string>>>> {
  return JSON.parse(readFileSync(new URL('connectors.json', folderOf(database)), 'utf8'));
}

export function goldenTopics(variant: string, database: GoldenDatabase = 'postgres'): readonly GoldenTopic[] {
  const folder = new URL(`${variant}/`, folderOf(database));
  return readdirSync(folder)
    .sort()
    .map((file) => {
      const text = gunzipSync(readFileSync(new URL(file, folder))).toString('utf8');
      return goldenTopic(variant, JSON.parse(text) as GoldenFile);
    });
}

function goldenTopic(variant: string, { topic, subjects, records }: GoldenFile): GoldenTopic {
  const all = [...(subjects.key ?? []), ...(subjects.value ?? [])];
  const texts = new Map(all.map(({ id, schema }) => [id, schema]));
  const textOf = (id: number | null): string | null => {
    if (id === null) return null;
    const text = texts.get(id);
    if (text === undefined) throw new Error(`golden ${topic} lacks the schema ${id}`);
    return text;
  };
  return {
    variant,
    topic,
    subjects: all.map(({ subject, schema }) => ({ subject, schema })),
    records: records.map((record) => ({
      key: bytesOf(record.keyHex),
      value: bytesOf(record.valueHex),
      keySchema: textOf(record.keyId),
      valueSchema: textOf(record.valueId),
      headers: (record.headers ?? []).map(({ key, text }) => [key, text] as const),
    })),
  };
}

function bytesOf(hex: string | null): Buffer | null {
  return hex === null ? null : Buffer.from(hex, 'hex');
}
