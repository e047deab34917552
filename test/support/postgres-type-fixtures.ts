import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { PgType } from '../../connectors/postgres/pg-type.ts';
import { type ExactJson, parseExactJson } from './exact-json.ts';

/** A table of the goldens as Postgres itself describes it, with its rows as the server's own text. */
export interface RecordedTable {
  /** `inv.t_int`. */
  readonly name: string;
  readonly columns: readonly RecordedColumn[];
  /** Column texts by the row's first column; null is NULL. */
  readonly rows: Readonly<Record<string, readonly (string | null)[]>>;
}

export interface RecordedColumn {
  readonly name: string;
  readonly type: PgType;
  readonly typmod: number;
  readonly nullable: boolean;
  readonly defaultExpression: string | null;
}

/** One topic of one of Debezium's connectors. */
export interface Golden {
  readonly variant: string;
  readonly topic: string;
  readonly subjects: {
    readonly key: readonly GoldenSubject[];
    readonly value: readonly GoldenSubject[];
  };
  /** Envelopes in order; tombstones are null. */
  readonly values: readonly (GoldenEnvelope | null)[];
}

export interface GoldenSubject {
  readonly version: number;
  readonly schema: string;
}

export interface GoldenEnvelope {
  readonly op: string;
  readonly before: { readonly [column: string]: ExactJson } | null;
  readonly after: { readonly [column: string]: ExactJson } | null;
}

export function recordedTables(): readonly RecordedTable[] {
  return JSON.parse(unzip('../fixtures/postgres-types.json.gz')) as readonly RecordedTable[];
}

/** Null where the connector of that variant left the table out. */
export function readGolden(variant: string, topic: string): Golden | null {
  let text: string;
  try {
    text = unzip(`../fixtures/goldens/postgres/${variant}/${topic}.json.gz`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  const file = parseExactJson(text) as unknown as {
    subjects: Record<'key' | 'value', { version: { text: string }; schema: string }[]>;
    records: { value: GoldenEnvelope | null }[];
  };
  const subjects = (list: { version: { text: string }; schema: string }[] = []): GoldenSubject[] =>
    list.map(({ version, schema }) => ({ version: Number(version.text), schema }));
  return {
    variant,
    topic,
    subjects: { key: subjects(file.subjects.key), value: subjects(file.subjects.value) },
    values: file.records.map((record) => record.value),
  };
}

function unzip(path: string): string {
  return gunzipSync(readFileSync(new URL(path, import.meta.url))).toString('utf8');
}
