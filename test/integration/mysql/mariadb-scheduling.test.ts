import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import mysql from 'mysql2/promise';
import { PlaceBounds } from '../../../connectors/mysql/snapshot/view-bounds.ts';
import { DEFAULT_MARIADB, startMariadb } from '../../../deploy/local/mariadb.ts';
import type { Service } from '../../../deploy/local/service.ts';
import { chunkOf, drain, SnapshotLab } from '../../support/mysql-snapshot.ts';
import { type OwnService, startOwnService } from '../../support/own-service.ts';

let own: OwnService<Service>;

before(async () => {
  // The setting is one for the life of a server.
  const options = ['--skip-binlog-optimize-thread-scheduling'];
  own = await startOwnService((context) => startMariadb(DEFAULT_MARIADB, context, options));
  process.env.TEST_MARIADB_URL = own.service.url;
});
after(() => own?.[Symbol.asyncDispose]());

test('a MariaDB that tells of commits before they are visible has its tables locked while views are opened', async () => {
  await using lab = await SnapshotLab.open('mariadb');
  await lab.database.query('CREATE TABLE t (id int PRIMARY KEY, v int NOT NULL)');
  await lab.database.query('INSERT INTO t VALUES (1, 7), (2, 7)');
  const table = await lab.table('t');
  const opened = await lab.reader.openView({ tables: [table], readers: 2, emittedUpTo: null }, lab.signal);
  assert.ok(!('refusal' in opened));
  await using view = opened;
  assert.ok(lab.logged.some(([, message]) => message.startsWith('tables were locked for a moment')));
  const client = await mysql.createConnection({ uri: own.service.url });
  const [rows] = await client.query<mysql.RowDataPacket[]>('SHOW MASTER STATUS');
  await client.end();
  const end = { file: String(rows[0]!.File), position: Number(rows[0]!.Position) };
  assert.equal(view.mark, new PlaceBounds(0, end, end).toString());
  let read = 0;
  await drain(view.read(chunkOf(table), 1, lab.signal), (batch) => {
    read += batch.count;
  });
  assert.equal(read, 2);
});
