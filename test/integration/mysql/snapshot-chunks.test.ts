import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { MySqlPosition } from '../../../connectors/mysql/positions.ts';
import { ReaderPool } from '../../../connectors/mysql/snapshot/reader-pool.ts';
import { MySqlSnapshotReader } from '../../../connectors/mysql/snapshot/snapshot-reader.ts';
import { underTableLock } from '../../../connectors/mysql/snapshot/table-lock.ts';
import type { ChangeBatch } from '../../../src/core/change-batch.ts';
import { Secret } from '../../../src/core/secret.ts';
import type { Chunk, ChunkEnd, ChunkLimits, RowKey, SnapshotTable, SnapshotView } from '../../../src/core/snapshot.ts';
import { RowCells } from '../../../src/core/table.ts';
import { awaitUntil } from '../../support/await-until.ts';
import { uniqueAccount } from '../../support/mysql-database.ts';
import { chunkOf, drain, NO_LIMITS, SnapshotLab } from '../../support/mysql-snapshot.ts';
import { KEYS, NUMBERS } from '../../support/mysql-snapshot-keys.ts';
import { PlainWriter } from '../../support/plain-writer.ts';
import { testedServers } from '../../support/server-features.ts';

const cells = new RowCells(64);

/** Value of a column of each row. */
function valuesOf(batch: ChangeBatch<MySqlPosition>, column: string): unknown[] {
  const values: unknown[] = [];
  for (let index = 0; index < batch.count; index++) {
    const version = batch.versions[index]!;
    const place = version.columns.findIndex(({ name }) => name === column);
    version.locate(batch, index, 'after', cells);
    const writer = new PlainWriter(version.columns[place]!.codec.schema);
    version.columns[place]!.codec.write(batch.bytes, cells.starts[place]!, cells.ends[place]!, writer);
    values.push(writer.take());
  }
  return values;
}

/** The ids of all rows, chunk by chunk, as each says that the next begins. */
async function readInChunks(
  view: SnapshotView<MySqlPosition>,
  table: SnapshotTable,
  limits: Partial<ChunkLimits>,
  signal: AbortSignal,
): Promise<{ ids: number[]; chunks: number[] }> {
  const ids: number[] = [];
  const chunks: number[] = [];
  let after: RowKey | null = null;
  for (;;) {
    const before = ids.length;
    const end: ChunkEnd = await drain(
      view.read(chunkOf(table, { after, limits: { ...NO_LIMITS, ...limits } }), 0, signal),
      (batch) => ids.push(...valuesOf(batch, 'id').map(Number)),
    );
    chunks.push(ids.length - before);
    if (end.isDone) return { ids, chunks };
    assert.notEqual(end.last, null);
    // It can be stored.
    after = JSON.parse(JSON.stringify(end.last));
  }
}

const ROWS = 250;
for (const { server, label, hasGtids } of await testedServers()) {
  describe(`${label}: a table in chunks`, () => {
    for (const { name, columns, key, values } of KEYS) {
      it(`of a key of type ${name} is there once`, async () => {
        await using lab = await SnapshotLab.open(server);
        await lab.database.query("SET SESSION sql_mode = '', time_zone = '+00:00'");
        await lab.database.query(`CREATE TABLE t (id int NOT NULL, v varchar(300), ${columns}, PRIMARY KEY (${key}))`);
        await lab.database.query(`INSERT INTO t SELECT n, REPEAT('v', n), ${values} FROM ${NUMBERS} WHERE n < ${ROWS}`);
        const table = await lab.table('t');
        assert.deepEqual(table.key, key.split(', '));
        await using view = await lab.view([table]);
        const { ids, chunks } = await readInChunks(view, table, { rows: 17 }, lab.signal);
        const ordered = await lab.database.query<{ id: number }>(`SELECT id FROM t ORDER BY ${key}`);
        assert.deepEqual(
          ids,
          ordered.map(({ id }) => id),
        );
        assert.deepEqual(chunks, [...Array.from({ length: 14 }, () => 17), ROWS - 14 * 17]);
      });
    }

    it('ends where its limits say, and has a row at least', async () => {
      await using lab = await SnapshotLab.open(server);
      await lab.database.query('CREATE TABLE t (id int PRIMARY KEY, v varchar(300))');
      await lab.database.query(`INSERT INTO t SELECT n, REPEAT('v', 200) FROM ${NUMBERS} WHERE n < 100`);
      await lab.database.query('CREATE TABLE nothing (id int PRIMARY KEY)');
      const [table, empty] = [await lab.table('t'), await lab.table('nothing')];
      await using view = await lab.view([table, empty]);
      const ids = Array.from({ length: 100 }, (_, id) => id);
      const byBytes = await readInChunks(view, table, { bytes: 1000 }, lab.signal);
      assert.deepEqual(byBytes, { ids, chunks: Array.from({ length: 25 }, () => 4) });
      const oneByOne = await readInChunks(view, table, { bytes: 1 }, lab.signal);
      assert.deepEqual(oneByOne, { ids, chunks: Array.from({ length: 100 }, () => 1) });
      const exact = await readInChunks(view, table, { rows: 50 }, lab.signal);
      assert.deepEqual(exact, { ids, chunks: [50, 50] });
      const inNoTime = await readInChunks(view, table, { timeMs: 0 }, lab.signal);
      assert.deepEqual(inNoTime.ids, ids);
      const none = await drain(view.read(chunkOf(empty), 0, lab.signal), () => assert.fail('a row of an empty table'));
      assert.deepEqual(none, { last: null, isDone: true });
    });

    it('ends in time although the server goes on, and its connection can be used at once', async () => {
      await using lab = await SnapshotLab.open(server);
      await lab.database.query('CREATE TABLE t (id int PRIMARY KEY, v varchar(3000))');
      await lab.database.query(`INSERT INTO t SELECT n, REPEAT('v', 2000) FROM ${NUMBERS} WHERE n < 100`);
      const table = await lab.table('t');
      await using view = await lab.view([table]);
      // The server sends what fills its buffer; the 51st row holds it up.
      const filter = 'id < 50 OR SLEEP(2) = 0';
      const started = performance.now();
      const ids: number[] = [];
      const end = await drain(
        view.read(chunkOf(table, { filter, limits: { ...NO_LIMITS, rows: 100, timeMs: 300 } }), 0, lab.signal),
        (batch) => ids.push(...valuesOf(batch, 'id').map(Number)),
      );
      assert.ok(performance.now() - started < 10_000, 'it did not wait for the server');
      assert.ok(!end.isDone);
      assert.equal(end.last?.[0], String(ids.at(-1)));
      const { ids: rest } = await readInChunks(view, table, { rows: 1000 }, lab.signal);
      assert.equal(rest.length, 100);
    });

    it('has only the rows of its range, its filter, its keys', async () => {
      await using lab = await SnapshotLab.open(server);
      await lab.database.query('CREATE TABLE t (id int, b varchar(9), v int, PRIMARY KEY (b, id))');
      await lab.database.query(
        `INSERT INTO t SELECT n, CHAR(97 + n % 3 USING utf8mb4), n FROM ${NUMBERS} WHERE n < 30`,
      );
      const table = await lab.table('t');
      await using view = await lab.view([table]);
      const read = async (more: Partial<Chunk>): Promise<number[]> => {
        const ids: number[] = [];
        await drain(view.read(chunkOf(table, more), 0, lab.signal), (batch) => {
          ids.push(...valuesOf(batch, 'id').map(Number));
        });
        return ids;
      };
      const key = (letter: string, id: number) => [Buffer.from(letter).toString('hex'), String(id)];
      assert.deepEqual(await read({ after: key('a', 24), upTo: key('b', 4) }), [27, 1, 4]);
      assert.deepEqual(await read({ after: key('c', 26) }), [29]);
      assert.deepEqual(await read({ upTo: key('a', 0) }), [0]);
      assert.deepEqual(await read({ filter: "v < 9 AND b <> 'b' -- a comment" }), [0, 3, 6, 2, 5, 8]);
      assert.deepEqual(await read({ filter: 'v < 3 OR v > 27', after: key('a', 0) }), [1, 28, 2, 29]);
      assert.deepEqual(await read({ keys: [key('c', 8), key('a', 3), key('a', 4)] }), [3, 8]);
      assert.deepEqual(await read({ keys: [] }), []);
      await assert.rejects(read({ filter: 'nothing = 1' }), { code: 'MYSQL_SNAPSHOT_FILTER' });
      await assert.rejects(read({ filter: 'v = = 1' }), { code: 'MYSQL_SNAPSHOT_FILTER' });
      await assert.rejects(read({ filter: 'v < 3) OR (v > 9' }), { code: 'MYSQL_SNAPSHOT_FILTER' });
      const check = (filter: string) => lab.reader.checkFilter(table, filter, lab.signal);
      await check("v < 9 AND b <> 'b' -- a comment");
      for (const wrong of ['nothing = 1', 'v = = 1', 'v < 3) OR (v > 9', 'true); DROP TABLE t; SELECT (true']) {
        await assert.rejects(check(wrong), { code: 'MYSQL_SNAPSHOT_FILTER' });
      }
      assert.equal((await read({})).length, 30);
    });

    it('of values beyond a packet is whole', { timeout: 360_000 }, async () => {
      await using lab = await SnapshotLab.open(server);
      await lab.database.query('CREATE TABLE t (id int PRIMARY KEY, v longblob, w int)');
      const sizes = [0, 1, 250, 251, 65_535, 65_536, 16_000_000];
      if (server === 'mysql') sizes.push(16_777_200, 16_777_215, 20_000_000);
      for (const [id, size] of sizes.entries()) {
        // Both sides of the boundary between two packets have other bytes.
        await lab.database.query(`INSERT INTO t VALUES (?, REPEAT(UNHEX('0001FEFF41'), CEIL(? / 5)), ?)`, [
          id,
          size,
          -id,
        ]);
        await lab.database.query('UPDATE t SET v = LEFT(v, ?) WHERE id = ?', [size, id]);
      }
      const table = await lab.table('t');
      await using view = await lab.view([table]);
      const unit = Buffer.from('0001FEFF41', 'hex');
      const seen: number[] = [];
      await drain(view.read(chunkOf(table), 0, lab.signal), (batch) => {
        for (let index = 0; index < batch.count; index++) {
          const version = batch.versions[index]!;
          version.locate(batch, index, 'after', cells);
          const value = batch.bytes.subarray(cells.starts[1]!, cells.ends[1]!);
          seen.push(value.length);
          assert.ok(value.equals(Buffer.alloc(value.length, unit)), `the value of ${value.length} bytes`);
        }
      });
      assert.deepEqual(seen, sizes);
    });

    it('of a table without a key has all of it, whatever the limits', async () => {
      await using lab = await SnapshotLab.open(server);
      await lab.database.query('CREATE TABLE t (id int, v varchar(300), UNIQUE (id))');
      await lab.database.query(`INSERT INTO t SELECT n, REPEAT('v', 200) FROM ${NUMBERS} WHERE n < 900`);
      const table = await lab.table('t');
      assert.equal(table.key, null);
      await using view = await lab.view([table], 2);
      const { ids, chunks } = await readInChunks(view, table, { rows: 1, bytes: 1, timeMs: 1 }, lab.signal);
      assert.deepEqual([ids.length, chunks.length], [900, 1]);
    });

    it('waits while nobody pulls', async () => {
      await using lab = await SnapshotLab.open(server);
      await lab.database.query('CREATE TABLE t (id int PRIMARY KEY, v longtext)');
      await lab.database.query(`INSERT INTO t SELECT n, REPEAT('v', 65000) FROM ${NUMBERS} WHERE n < 400`);
      const table = await lab.table('t');
      await using view = await lab.view([table]);
      const chunk = view.read(chunkOf(table), 0, lab.signal);
      const first = await chunk.next();
      assert.ok(first.done !== true);
      const before = process.memoryUsage().arrayBuffers;
      await awaitUntil('the server waits for us', async () => {
        const rows = await lab.database.query<{ State: string; Info: string | null }>('SHOW FULL PROCESSLIST');
        return rows.some(
          ({ State, Info }) => /Sending|Writing|executing/i.test(State) && Info?.includes(lab.database.name),
        );
      });
      assert.ok(process.memoryUsage().arrayBuffers - before < 8 * 1024 * 1024);
      first.value.release();
      let rows = first.value.count;
      await drain(chunk, (batch) => {
        rows += batch.count;
      });
      assert.equal(rows, 400);
    });

    it('that is given up leaves its connection to the next, and no statement running', async () => {
      await using lab = await SnapshotLab.open(server);
      await lab.database.query('CREATE TABLE t (id int PRIMARY KEY, v longtext)');
      await lab.database.query(`INSERT INTO t SELECT n, REPEAT('v', 65000) FROM ${NUMBERS} WHERE n < 400`);
      const table = await lab.table('t');
      await using view = await lab.view([table]);
      const chunk = view.read(chunkOf(table), 0, lab.signal);
      (await chunk.next()).value;
      await chunk.return({ last: null, isDone: false });
      const { ids } = await readInChunks(view, table, { rows: 100 }, lab.signal);
      assert.equal(ids.length, 400);
    });

    it('that is aborted leaves no connection behind', async () => {
      const lab = await SnapshotLab.open(server);
      const outside = await lab.database.connect();
      const ours = async (): Promise<number> => {
        const [rows] = await outside.query('SHOW FULL PROCESSLIST');
        return (rows as { Info: string | null }[]).filter(({ Info }) => Info?.includes('SLEEP(100)') === true).length;
      };
      try {
        await lab.database.query('CREATE TABLE t (id int PRIMARY KEY)');
        await lab.database.query('INSERT INTO t VALUES (1)');
        const table = await lab.table('t');
        const view = await lab.view([table]);
        const abort = new AbortController();
        const chunk = view.read(chunkOf(table, { filter: 'SLEEP(100) = 0' }), 0, abort.signal);
        const reading = chunk.next();
        await awaitUntil('the statement runs', async () => (await ours()) === 1);
        abort.abort(new Error('enough'));
        await assert.rejects(reading, /enough/);
        await awaitUntil('the statement is gone', async () => (await ours()) === 0);
        await view[Symbol.asyncDispose]();
        // The next view works.
        await using again = await lab.view([table]);
        assert.deepEqual((await readInChunks(again, table, { rows: 9 }, lab.signal)).ids, [1]);
      } finally {
        await outside.end();
        await lab[Symbol.asyncDispose]();
      }
    });

    it('whose connection is lost fails for the moment, and the next view has another', async () => {
      await using lab = await SnapshotLab.open(server);
      await lab.database.query('CREATE TABLE t (id int PRIMARY KEY)');
      await lab.database.query('INSERT INTO t VALUES (1)');
      const table = await lab.table('t');
      {
        await using view = await lab.view([table]);
        const reading = view.read(chunkOf(table, { filter: 'SLEEP(20) = 0' }), 0, lab.signal);
        const failed = assert.rejects(reading.next(), { errorClass: 'transient' });
        const running = await awaitUntil('the statement runs', async () => {
          const rows = await lab.database.query<{ Id: number; Info: string | null }>('SHOW FULL PROCESSLIST');
          return rows.find(({ Info }) => Info?.includes('SLEEP(20)') === true);
        });
        await lab.database.query(`KILL ${running.Id}`);
        await failed;
      }
      await using view = await lab.view([table]);
      assert.deepEqual((await readInChunks(view, table, { rows: 9 }, lab.signal)).ids, [1]);
    });

    it('needs no more than SELECT and what the stream needs', async () => {
      await using lab = await SnapshotLab.open(server);
      await lab.database.query('CREATE TABLE t (id int PRIMARY KEY)');
      await lab.database.query(`INSERT INTO t SELECT n FROM ${NUMBERS} WHERE n < 100`);
      const account = uniqueAccount();
      const client = server === 'mysql' ? 'REPLICATION CLIENT' : 'BINLOG MONITOR';
      await lab.database.query(`CREATE USER '${account}' IDENTIFIED BY 'least'`);
      try {
        await lab.database.query(`GRANT REPLICATION SLAVE, ${client} ON *.* TO '${account}'`);
        await lab.database.query(`GRANT SELECT ON ${lab.database.name}.* TO '${account}'`);
        const connection = { ...lab.config.connection, user: account, password: new Secret('least') };
        if (!hasGtids) await lab.database.query(`GRANT LOCK TABLES ON ${lab.database.name}.* TO '${account}'`);
        await using reader = await MySqlSnapshotReader.open(
          { ...lab.config, connection },
          lab.dependencies,
          lab.signal,
        );
        const [table] = await reader.readTables(lab.signal);
        const view = await reader.openView({ tables: [table!], readers: 2, emittedUpTo: null }, lab.signal);
        assert.ok(!('refusal' in view));
        assert.equal((await readInChunks(view, table!, { rows: 30 }, lab.signal)).ids.length, 100);
        const stopped = view.read(chunkOf(table!, { filter: 'SLEEP(20) = 0' }), 1, AbortSignal.timeout(300));
        await assert.rejects(stopped.next(), { name: 'TimeoutError' });
        assert.equal((await readInChunks(view, table!, { rows: 30 }, lab.signal)).ids.length, 100);
        await view[Symbol.asyncDispose]();
        if (!hasGtids) return;
        await using pool = new ReaderPool(connection, lab.dependencies.clock, lab.server);
        const [holder] = await pool.take(1, lab.signal);
        const locked = underTableLock(holder!, [table!], async () => assert.fail('no grant'), lab.signal);
        await assert.rejects(locked, { code: 'MYSQL_PRIVILEGE_MISSING' });
      } finally {
        await lab.database.query(`DROP USER '${account}'`);
      }
    });

    it('of a table that was altered is read by another view', async () => {
      await using lab = await SnapshotLab.open(server);
      await lab.database.query('CREATE TABLE t (id int PRIMARY KEY, v int)');
      await lab.database.query('INSERT INTO t VALUES (1, 2)');
      const table = await lab.table('t');
      {
        await using view = await lab.view([table]);
        await lab.database.query('ALTER TABLE t MODIFY v bigint, ADD w int DEFAULT 3');
        await assert.rejects(readInChunks(view, table, { rows: 9 }, lab.signal), { code: 'MYSQL_TABLE_CHANGED' });
      }
      {
        await using view = await lab.view([table]);
        assert.deepEqual((await readInChunks(view, table, { rows: 9 }, lab.signal)).ids, [1]);
      }
      await lab.database.query('ALTER TABLE t DROP PRIMARY KEY');
      {
        await using view = await lab.view([table]);
        await assert.rejects(readInChunks(view, table, { rows: 9 }, lab.signal), { code: 'MYSQL_TABLE_CHANGED' });
      }
      await lab.database.query('DROP TABLE t');
      const readAgain = async () => {
        await using view = await lab.view([table]);
        await readInChunks(view, table, { rows: 9 }, lab.signal);
      };
      await assert.rejects(readAgain(), { code: 'MYSQL_TABLE_CHANGED' });
    });
  });
}
