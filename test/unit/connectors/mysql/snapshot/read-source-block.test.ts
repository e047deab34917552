import assert from 'node:assert/strict';
import { it } from 'node:test';
import { MySqlReadBatch } from '../../../../../connectors/mysql/snapshot/read-batch.ts';
import { MySqlSourceBlock } from '../../../../../connectors/mysql/source-block.ts';
import { ArenaPool, MessageArena } from '../../../../../src/core/message-arena.ts';
import type { SnapshotMarker } from '../../../../../src/core/snapshot.ts';
import type { TableVersion } from '../../../../../src/core/table.ts';
import { PlainWriter } from '../../../../support/plain-writer.ts';

function version(name: string): TableVersion {
  return { id: { database: 'inv', schema: null, name }, fingerprint: name, columns: [], key: null, locate() {} };
}

it('the source block of a row that was read has the place of its view, and no transaction', () => {
  const block = new MySqlSourceBlock('mysql', 'my_default');
  const batch = new MySqlReadBatch(new ArenaPool(), () => {});
  const arena = new MessageArena(Buffer.alloc(8));
  batch.open(arena);
  batch.place = { file: 'binlog.000001', position: 95_538, timeUs: 1_795_208_206_293_519 };
  const [one, other] = [version('t_num'), version('nopk')];
  for (const table of [one, one, other]) batch.addRow(table, 0, 0);
  const marks: (SnapshotMarker | null)[] = ['first', null, 'incremental'];
  for (const [index, marker] of marks.entries()) batch.details[index] = marker === null ? null : { marker };
  const written = marks.map((_, index) => {
    const out = new PlainWriter(block.schema);
    block.write(out, batch, index, batch.versions[index]!);
    return out.take();
  });
  const expected = (snapshot: string, table: string) => ({
    version: '3.7.0.Final',
    connector: 'mysql',
    name: 'my_default',
    ts_ms: 1_795_208_206_293n,
    snapshot,
    db: 'inv',
    sequence: null,
    ts_us: 1_795_208_206_293_519n,
    ts_ns: 1_795_208_206_293_519_000n,
    table,
    server_id: 0n,
    gtid: null,
    file: 'binlog.000001',
    pos: 95_538n,
    row: 0,
    thread: null,
    query: null,
  });
  assert.deepEqual(written, [expected('first', 't_num'), expected('true', 't_num'), expected('incremental', 'nopk')]);
});
