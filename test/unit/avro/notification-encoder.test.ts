import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAvroRecordEncoder } from '../../../src/avro/avro-record-encoder.ts';
import type { Notification } from '../../../src/core/notification.ts';
import type { SourceSettings } from '../../../src/core/settings.ts';
import { decode } from '../../support/golden-comparison.ts';
import { type GoldenDatabase, goldenTopics } from '../../support/golden-topics.ts';
import { fakeRegistry, MemoryKnownIds, SILENT_LOGGER } from './fake-registry.ts';

const SETTINGS = { schemaNameAdjustment: 'none', fieldNameAdjustment: 'none' } as SourceSettings;

interface Value {
  readonly id: string;
  readonly type: Notification['type'];
  readonly aggregate_type: Notification['aggregateType'];
  readonly additional_data: Readonly<Record<string, string>>;
  readonly timestamp: bigint | number;
}

for (const [database, variant] of [
  ['postgres', 'pg_incr'],
  ['mysql', 'my_incr'],
  ['mariadb', 'mdb_incr'],
] as const satisfies readonly (readonly [GoldenDatabase, string])[]) {
  test(`notifications have the schemas and the bytes that Debezium wrote for ${database}`, async () => {
    const topic = goldenTopics(variant, database).find(({ topic: name }) => name === `${variant}.notifications`)!;
    const { signal } = new AbortController();
    // Ids as in Confluent's wire format of the recorded bytes; any other schema text is an error.
    const ids = new Map<string, number>();
    for (const { key, value, keySchema, valueSchema } of topic.records) {
      ids.set(keySchema!, key!.readUInt32BE(1));
      ids.set(valueSchema!, value!.readUInt32BE(1));
    }
    const subjects: string[] = [];
    const registry = fakeRegistry({
      lookUp: async (subject, schema) => {
        subjects.push(subject);
        const id = ids.get(schema);
        assert.ok(id !== undefined, `${subject}: not a recorded schema: ${schema}`);
        return id;
      },
    });
    const clock = { nowMs: () => 0, nowUs: () => 0, sleep: async () => {} };
    const knownIds = new MemoryKnownIds();
    const encoder = createAvroRecordEncoder({ settings: SETTINGS, registry, knownIds, logger: SILENT_LOGGER, clock });
    const notifications = await encoder.prepareNotification(topic.topic, signal);
    assert.deepEqual(
      subjects,
      topic.subjects.map(({ subject }) => subject),
    );
    const taken = () => {
      const bytes = Buffer.from(encoder.output.bytes.subarray(0, encoder.output.length));
      encoder.output.reset();
      return bytes;
    };
    assert.ok(topic.records.length > 10);
    for (const record of topic.records) {
      const value = decode(record.value, record.valueSchema) as unknown as Value;
      notifications.writeKey(value.id);
      assert.deepEqual(taken(), record.key);
      const { id, type, aggregate_type: aggregateType, additional_data: additionalData } = value;
      notifications.writeValue({ id, type, aggregateType, additionalData }, Number(value.timestamp));
      assert.deepEqual(taken(), record.value);
    }
  });
}
