import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { type ExactJson, parseExactJson } from './exact-json.ts';

export interface RecordedSchema {
  readonly subject: string;
  readonly version: number;
  readonly database: 'postgres' | 'mysql' | 'mariadb';
  readonly schema: string;
}

export interface RecordedTopic {
  readonly topic: string;
  readonly variant: string;
  /** Schema texts by id. */
  readonly schemas: Readonly<Record<string, string>>;
  readonly records: readonly RecordedRecord[];
}

export interface RecordedRecord {
  readonly keyId: number | null;
  readonly valueId: number | null;
  readonly keyHex: string | null;
  readonly valueHex: string | null;
  readonly key: ExactJson;
  readonly value: ExactJson;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Every schema that Debezium registered, as text. */
export function recordedSchemas(): readonly RecordedSchema[] {
  return JSON.parse(read('debezium-schemas.json.gz')) as readonly RecordedSchema[];
}

/** Records of some of Debezium's connectors; numbers inside of keys and values are exact. */
export function recordedTopics(): readonly RecordedTopic[] {
  const topics = parseExactJson(read('debezium-records.json.gz')) as unknown as readonly RecordedTopic[];
  return topics.map((topic) => ({
    ...topic,
    records: topic.records.map((record) => ({ ...record, keyId: idOf(record.keyId), valueId: idOf(record.valueId) })),
  }));
}

function idOf(id: unknown): number | null {
  return id === null || id === undefined ? null : Number((id as { text: string }).text);
}

function read(name: string): string {
  return gunzipSync(readFileSync(new URL(`../fixtures/avro/${name}`, import.meta.url))).toString('utf8');
}
