import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type AvroRecordEncoder, createAvroRecordEncoder } from '../../../src/avro/avro-record-encoder.ts';
import type { ConnectStruct } from '../../../src/core/connect-schema.ts';
import type { DataCollectionCount, Operation, TransactionOrder } from '../../../src/core/encoder.ts';
import type { SourceSettings } from '../../../src/core/settings.ts';
import { type RecordedRecord, type RecordedTopic, recordedTopics } from '../../support/debezium-fixtures.ts';
import type { ExactNumber } from '../../support/exact-json.ts';
import { readAvroSchema } from '../../support/read-avro-schema.ts';
import { fakeRegistry, MemoryKnownIds, SILENT_LOGGER } from './fake-registry.ts';
import { jsonCodec, type Row, RowBytes, recordedSource, tableShape } from './recorded-table.ts';

const SETTINGS = { schemaNameAdjustment: 'none', fieldNameAdjustment: 'none' } as SourceSettings;
const { signal } = new AbortController();

/** An encoder whose registry knows nothing but the recorded schemas: any other text is an error. */
function encoderOver(topic: RecordedTopic): AvroRecordEncoder {
  const ids = new Map(Object.entries(topic.schemas).map(([id, schema]) => [schema, Number(id)]));
  const registry = fakeRegistry({
    lookUp: async (subject, schema) => {
      const id = ids.get(schema);
      assert.ok(id !== undefined, `${subject}: not a recorded schema: ${schema}`);
      return id;
    },
  });
  const clock = { nowMs: () => 0, nowUs: () => 0, sleep: async () => {} };
  return createAvroRecordEncoder({
    settings: SETTINGS,
    registry,
    knownIds: new MemoryKnownIds(),
    logger: SILENT_LOGGER,
    clock,
  });
}

function take(encoder: AvroRecordEncoder): string {
  const { output } = encoder;
  const hex = output.bytes.subarray(0, output.length).toString('hex');
  output.reset();
  return hex;
}

function number(value: unknown): number {
  return Number((value as ExactNumber).text);
}

function orderOf(value: Row): TransactionOrder | null {
  const transaction = value.transaction as Row | null;
  if (transaction === null) return null;
  return {
    id: transaction.id as string,
    totalOrder: number(transaction.total_order),
    dataCollectionOrder: number(transaction.data_collection_order),
  };
}

/** The recorded bytes, but for the nanoseconds below a microsecond, which this clock does not have. */
function withoutNanoseconds(record: RecordedRecord): string {
  const recorded = Buffer.from(record.valueHex!, 'hex');
  let end = recorded.length - 1;
  while (recorded[end - 1]! >= 0x80) end -= 1;
  const microseconds = BigInt(((record.value as Row).ts_us as ExactNumber).text);
  let zigzag = microseconds * 1000n * 2n;
  const bytes: number[] = [];
  while (zigzag > 0x7fn) {
    bytes.push(Number(zigzag & 0x7fn) | 0x80);
    zigzag >>= 7n;
  }
  bytes.push(Number(zigzag));
  return Buffer.concat([recorded.subarray(0, end), Buffer.from(bytes)]).toString('hex');
}

function schemaOf(topic: RecordedTopic, id: number | null): ConnectStruct | null {
  return id === null ? null : readAvroSchema(topic.schemas[String(id)]!);
}

describe('createAvroRecordEncoder', () => {
  const topics = recordedTopics();

  for (const variant of new Set(topics.map((topic) => topic.variant))) {
    it(`writes the keys, envelopes and key headers that Debezium wrote as ${variant}`, async () => {
      let compared = 0;
      let headersCompared = 0;
      for (const topic of topics.filter((candidate) => candidate.variant === variant)) {
        const keysAsJson = new Set<string>();
        const headers: string[] = [];
        for (const record of topic.records) {
          const valueSchema = schemaOf(topic, record.valueId);
          const key = schemaOf(topic, record.keyId);
          const envelope = valueSchema ?? anyEnvelope(topic);
          if (!envelope?.name.endsWith('.Envelope')) continue;
          const shape = tableShape(key ?? anyKey(topic), envelope);
          const source = recordedSource(envelope.fields.find(({ name }) => name === 'source')!.schema as ConnectStruct);
          const encoder = encoderOver(topic);
          const table = await encoder.prepareTable(shape, source, signal);
          const rows = new RowBytes();
          if (record.keyHex !== null) {
            const cells = rows.cells(shape.key!, record.key as Row);
            table.writeKey(rows.batch(), cells);
            assert.equal(take(encoder), record.keyHex, `key in ${topic.topic}`);
            keysAsJson.add(table.keyAsJson(rows.batch(), cells));
          }
          headers.push(...Object.values(record.headers ?? {}));
          if (record.valueHex === null) continue;
          const value = record.value as Row;
          source.block = value.source!;
          const before = value.before === null ? null : rows.cells(shape.value, value.before as Row);
          const after = value.after === null ? null : rows.cells(shape.value, value.after as Row);
          const order = orderOf(value);
          table.writeValue(value.op as Operation, rows.batch(), 0, before, after, order, number(value.ts_us));
          assert.equal(take(encoder), withoutNanoseconds(record), `value in ${topic.topic}`);
          compared += 1;
        }
        for (const header of headers) assert.ok(keysAsJson.has(header), `${header} in ${topic.topic}`);
        headersCompared += headers.length;
      }
      assert.ok(compared >= 3, `${compared} records`);
      if (variant.endsWith('_default'))
        assert.ok(compared > 100 && headersCompared > 3, `${compared} ${headersCompared}`);
    });
  }

  it('writes the transactions that Debezium wrote', async () => {
    for (const topic of topics.filter(({ topic: name }) => name.endsWith('.transaction'))) {
      const encoder = encoderOver(topic);
      const transactions = await encoder.prepareTransaction(topic.topic, signal);
      for (const record of topic.records) {
        const value = record.value as Row;
        const id = value.id as string;
        transactions.writeKey((record.key as Row).id as string);
        assert.equal(take(encoder), record.keyHex);
        if (value.status === 'BEGIN') transactions.writeBegin(id, number(value.ts_ms));
        else {
          const counts = (value.data_collections as readonly Row[]).map(
            (item): DataCollectionCount => ({
              dataCollection: item.data_collection as string,
              eventCount: number(item.event_count),
            }),
          );
          transactions.writeEnd(id, number(value.event_count), counts, number(value.ts_ms));
        }
        assert.equal(take(encoder), record.valueHex);
      }
    }
  });

  it('writes the heartbeats that Debezium wrote', async () => {
    for (const topic of topics.filter(({ topic: name }) => name.startsWith('__debezium-heartbeat.'))) {
      const encoder = encoderOver(topic);
      const heartbeats = await encoder.prepareHeartbeat(topic.topic, signal);
      for (const record of topic.records) {
        heartbeats.writeKey((record.key as Row).serverName as string);
        assert.equal(take(encoder), record.keyHex);
        heartbeats.writeValue(number((record.value as Row).ts_ms));
        assert.equal(take(encoder), record.valueHex);
      }
    }
  });

  it('writes the logical messages that Debezium wrote', async () => {
    const recorded = topics.filter(({ topic: name }) => name.endsWith('.message'));
    assert.ok(recorded.some(({ records }) => records.length > 0));
    for (const topic of recorded) {
      for (const record of topic.records) {
        const encoder = encoderOver(topic);
        const schema = schemaOf(topic, record.valueId)!;
        const source = recordedSource(schema.fields.find(({ name }) => name === 'source')!.schema as ConnectStruct);
        const message = schema.fields.find(({ name }) => name === 'message')!.schema as ConnectStruct;
        const content = jsonCodec(message.fields[1]!.schema);
        const messages = await encoder.prepareMessage(topic.topic, source, content, signal);
        const value = record.value as Row;
        const { prefix } = record.key as { prefix: string };
        source.block = value.source!;
        const rows = new RowBytes();
        const range = rows.append(Buffer.from(JSON.stringify((value.message as Row).content)));
        messages.writeKey(prefix);
        assert.equal(take(encoder), record.keyHex);
        const batch = rows.batch([{ prefix, transactional: true, ...range }]);
        messages.writeValue(batch, 0, orderOf(value), number(value.ts_ms));
        assert.equal(take(encoder), record.valueHex);
      }
    }
  });
});

/** A tombstone's record names no value schema; any of its topic's tells the table. */
function anyEnvelope(topic: RecordedTopic): ConnectStruct | null {
  return schemaOf(topic, topic.records.find(({ valueId }) => valueId !== null)?.valueId ?? null);
}

function anyKey(topic: RecordedTopic): ConnectStruct | null {
  return schemaOf(topic, topic.records.find(({ keyId }) => keyId !== null)?.keyId ?? null);
}
