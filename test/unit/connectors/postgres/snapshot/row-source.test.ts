import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RowBatch, type ViewPoint } from '../../../../../connectors/postgres/snapshot/row-batch.ts';
import { PgSourceBlock, SOURCE_SCHEMA } from '../../../../../connectors/postgres/source-block.ts';
import { AvroWriter } from '../../../../../src/avro/avro-writer.ts';
import { ArenaPool } from '../../../../../src/core/message-arena.ts';
import type { SnapshotMarker } from '../../../../../src/core/snapshot.ts';
import type { TableVersion } from '../../../../../src/core/table.ts';
import type { ValueWriter } from '../../../../../src/core/value-writer.ts';
import { ExactNumber } from '../../../../support/exact-json.ts';
import { type Plain, PlainWriter } from '../../../../support/plain-writer.ts';
import { readGolden } from '../../../../support/postgres-type-fixtures.ts';

function table(schema: string, name: string): TableVersion {
  return { id: { database: 'golden', schema, name }, fingerprint: '', columns: [], key: null, locate: () => undefined };
}

/** One row without columns, marked. */
function batchAt(point: ViewPoint, marker: SnapshotMarker): RowBatch {
  const pool = new ArenaPool();
  const arena = pool.take(1);
  arena.addMessage(Buffer.from('\n'), 0, 1, 0, 0);
  const batch = new RowBatch(() => undefined);
  batch.open(arena, pool, 0, point);
  batch.scan(arena);
  batch.details[0] = { marker };
  return batch;
}

/** What Debezium wrote, numbers as bigints. */
function goldenSources(variant: string, topic: string): Record<string, Plain>[] {
  return readGolden(variant, topic)!
    .values.filter((value) => value?.op === 'r')
    .map((value) => {
      const { source } = value as unknown as { source: Record<string, unknown> };
      const plain = Object.entries(source).map(([name, field]) => [
        name,
        field instanceof ExactNumber ? BigInt(field.text) : field,
      ]);
      return Object.fromEntries(plain) as Record<string, Plain>;
    });
}

function pointOf(source: Record<string, Plain>): ViewPoint {
  const lsn = BigInt(/"(\d+)"\]$/.exec(String(source.sequence))![1]!);
  return { lsn: { high: Number(lsn >> 32n), low: Number(lsn & 0xffff_ffffn) }, timeUs: Number(source.ts_us) };
}

for (const [variant, topic, name] of [
  ['pg_default', 'inv.composite', 'composite'],
  ['pg_default', 'inv.nopk', 'nopk'],
  ['pg_incr', 'inv.composite', 'composite'],
  ['pg_incr', 'inv.t_text', 't_text'],
] as const) {
  test(`the source block of ${topic} in ${variant} is Debezium's, but for the transaction that none is`, () => {
    const sources = goldenSources(variant, topic);
    assert.ok(sources.length > 0);
    for (const source of sources) {
      const marker = source.snapshot as SnapshotMarker;
      const block = new PgSourceBlock(variant, 'golden');
      const out = new PlainWriter(SOURCE_SCHEMA);
      block.write(out, batchAt(pointOf(source), marker), 0, table('inv', name));
      const isIncremental = marker === 'incremental';
      const [before, at] = JSON.parse(String(source.sequence)) as [string | null, string];
      assert.deepEqual(out.take(), {
        ...source,
        // Its clock has nanoseconds there.
        ts_ns: (source.ts_us as bigint) * 1000n,
        txId: null,
        // A blocking snapshot has the stream's last commit, where there is a stream.
        sequence: isIncremental ? JSON.stringify([before, at]) : `[null,"${at}"]`,
      });
      assert.deepEqual([source.lsn === null, source.txId === null], [isIncremental, isIncremental]);
    }
  });
}

test('what is remembered of one row is never used for another table, view or marker', () => {
  const a = table('public', 'a');
  const b = table('public', 'b');
  const first: ViewPoint = { lsn: { high: 1, low: 2 }, timeUs: 1_000_000 };
  const second: ViewPoint = { lsn: { high: 1, low: 3 }, timeUs: 1_000_000 };
  const hexOf = (block: PgSourceBlock, point: ViewPoint, marker: SnapshotMarker, of: TableVersion) => {
    const out = new AvroWriter();
    block.write(out as ValueWriter, batchAt(point, marker), 0, of);
    return out.buffer.toString('hex', 0, out.length);
  };
  const kept = new PgSourceBlock('prefix', 'golden');
  const seen = new Set<string>();
  for (let round = 0; round < 2; round++) {
    for (const point of [first, second]) {
      for (const marker of ['first', 'true', 'last', 'incremental'] as const) {
        for (const version of [a, b]) {
          for (let again = 0; again < 2; again++) {
            const hex = hexOf(kept, point, marker, version);
            assert.equal(hex, hexOf(new PgSourceBlock('prefix', 'golden'), point, marker, version));
            seen.add(hex);
          }
        }
      }
    }
  }
  assert.equal(seen.size, 16);
});
