import assert from 'node:assert/strict';
import { test } from 'node:test';
import { READABLE_VALUES } from '../../../src/avro/readable-values.ts';

const cases: readonly (readonly [name: string, raw: unknown, readable: unknown])[] = [
  ['io.debezium.time.Date', 19_756, '2024-02-03'],
  ['io.debezium.time.Date', -1, '1969-12-31'],
  ['org.apache.kafka.connect.data.Date', 0, '1970-01-01'],
  ['io.debezium.time.Timestamp', 1_706_933_106_789n, '2024-02-03T04:05:06.789Z'],
  ['io.debezium.time.MicroTimestamp', 1_706_933_106_000_001n, '2024-02-03T04:05:06.000001Z'],
  ['io.debezium.time.MicroTimestamp', -1n, '1969-12-31T23:59:59.999999Z'],
  ['io.debezium.time.MicroTimestamp', 1_706_933_106_000_000n, '2024-02-03T04:05:06Z'],
  ['io.debezium.time.NanoTimestamp', 1n, '1970-01-01T00:00:00.000000001Z'],
  ['io.debezium.time.Time', 14_706_789, '04:05:06.789'],
  ['io.debezium.time.MicroTime', 86_400_000_000n, '24:00:00'],
  ['io.debezium.time.NanoTime', 500_000_000n, '00:00:00.5'],
  // Debezium's infinity and what no calendar has.
  ['io.debezium.time.MicroTimestamp', 9_223_372_036_854_775_807n, 9_223_372_036_854_775_807n],
  ['io.debezium.time.MicroTime', -1n, -1n],
  ['io.debezium.data.VariableScaleDecimal', { scale: 2, value: Buffer.of(0x04, 0xe2) }, '12.50'],
  ['io.debezium.data.VariableScaleDecimal', { scale: 0, value: Buffer.of(0xff) }, '-1'],
];

for (const [name, raw, readable] of cases) {
  test(`${name} ${typeof raw === 'object' ? String(readable) : raw}`, () => {
    assert.deepEqual(READABLE_VALUES.get(name)?.(raw), readable);
  });
}
