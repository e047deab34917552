import assert from 'node:assert/strict';
import { it } from 'node:test';
import { awaitUntil } from '../../support/await-until.ts';
import type { ConformanceServer } from './conformance-database.ts';
import { insertedTexts, type Row, show, withoutHeartbeats } from './reader.ts';
import { Source } from './source.ts';

const TABLE = 'CREATE TABLE t (id int PRIMARY KEY, v varchar(200))';

/** Ends of the log that are come to. */
const HEADS = 60;

/** What a stream tells, and in which order. */
export function testStream(server: ConformanceServer): void {
  it('a fresh start tells what comes from then on, of captured tables alone', async () => {
    await using database = await server.createDatabase();
    await database.run(TABLE, 'CREATE TABLE uncaptured (id int PRIMARY KEY)', "INSERT INTO t VALUES (1, 'before')");
    await using reader = await new Source(server, database).startFresh();
    await database.run(
      'INSERT INTO uncaptured VALUES (1)',
      'BEGIN',
      'INSERT INTO uncaptured VALUES (2)',
      "INSERT INTO t VALUES (2, 'after')",
      'COMMIT',
      'DROP TABLE uncaptured',
      "INSERT INTO t VALUES (3, 'last')",
    );
    const changes = await reader.readThrough('last');
    assert.deepEqual(insertedTexts(changes), ['after', 'last']);
    assert.ok(changes.every(({ table }) => table === null || table === 't'));
  });

  it('transactions come whole, in commit order, and only commits and heartbeats say where to resume', async () => {
    await using database = await server.createDatabase();
    await database.run(TABLE);
    await using reader = await new Source(server, database).startFresh();
    for (let id = 1; id <= 9; id += 3) {
      const rows = [id, id + 1, id + 2].map((each) => `INSERT INTO t VALUES (${each}, 'row ${each}')`);
      await database.run('BEGIN', ...rows, 'COMMIT');
    }
    const changes = await reader.readThrough('row 9');
    const told = withoutHeartbeats(changes).filter(
      ({ kind }, index, all) => kind !== 'begin' || all[index + 1]?.kind !== 'commit',
    );
    const kinds = told.map(({ kind }) => kind).join(' ');
    assert.match(
      kinds,
      /begin insert insert insert commit begin insert insert insert commit begin insert insert insert commit$/,
    );
    assert.deepEqual(
      insertedTexts(changes),
      Array.from({ length: 9 }, (_, index) => `row ${index + 1}`),
    );
    for (const { kind, resumeAt } of changes) {
      assert.equal(resumeAt !== null, kind === 'commit' || kind === 'heartbeat', kind);
    }
    const rowsById = Map.groupBy(
      changes.filter(({ kind }) => kind === 'insert'),
      ({ transaction }) => transaction,
    );
    assert.deepEqual(
      [...rowsById.values()].map((rows) => rows.length),
      [3, 3, 3],
      'each transaction has an id of its own',
    );
    const { positions } = server.connector;
    const places = changes.flatMap(({ resumeAt }) => resumeAt ?? []);
    const keys = places.map((text) => positions.sortKey(positions.decode(text)));
    assert.deepEqual(keys, keys.toSorted(), 'positions sort as the log does');
    for (const text of places) assert.equal(positions.encode(positions.decode(text)), text);
    assert.throws(() => positions.decode('nowhere'), { errorClass: 'fatal' });
  });

  it('inserts, updates, deletes, truncates and changes of a primary key are told as such', async () => {
    await using database = await server.createDatabase();
    await database.run(TABLE);
    await using reader = await new Source(server, database).startFresh();
    await database.run(
      "INSERT INTO t VALUES (1, 'a'), (2, 'b')",
      "UPDATE t SET v = 'c' WHERE id = 1",
      'UPDATE t SET id = 3 WHERE id = 2',
      'DELETE FROM t WHERE id = 3',
      'TRUNCATE TABLE t',
      "INSERT INTO t VALUES (9, 'end')",
    );
    const changes = await reader.readThrough('end');
    const rows = changes.filter(({ kind }) => !['begin', 'commit', 'heartbeat', 'schema'].includes(kind));
    assert.deepEqual(
      rows.map(({ kind, after, truncated }) => [kind, after, ...truncated]),
      [
        ['insert', { id: 1, v: 'a' }],
        ['insert', { id: 2, v: 'b' }],
        ['update', { id: 1, v: 'c' }],
        ['update', { id: 3, v: 'b' }],
        ['delete', null],
        ['truncate', null, database.qualified('t')],
        ['insert', { id: 9, v: 'end' }],
      ],
    );
    const [, , updated, moved, deleted] = rows;
    assert.equal(updated!.before?.id ?? 1, 1);
    assert.equal(moved!.before?.id, 2, 'the old key is known');
    assert.equal(deleted!.before?.id, 3);
  });

  it('values arrive as SQL wrote them: nulls, empty text, text beyond the basic plane, the ends of integers', async () => {
    await using database = await server.createDatabase();
    await database.run(
      'CREATE TABLE t (id int PRIMARY KEY, v varchar(200), small smallint, large bigint, needed varchar(9) NOT NULL)',
    );
    await using reader = await new Source(server, database).startFresh();
    await database.run(
      "INSERT INTO t VALUES (-2147483648, '', -32768, -9223372036854775808, '')",
      'INSERT INTO t VALUES (0, NULL, NULL, NULL, 0)',
      "INSERT INTO t VALUES (1, 'O''Hara: \u{1d11e} größe \u{1f600}\u{10ffff} 漢字', -1, -9007199254740993, 'x')",
      "INSERT INTO t VALUES (2147483647, '  end ', 32767, 9223372036854775807, 'null')",
    );
    const changes = await reader.readThrough('  end ');
    const expected: Row[] = [
      { id: -2_147_483_648, v: '', small: -32_768, large: -9_223_372_036_854_775_808n, needed: '' },
      { id: 0, v: null, small: null, large: null, needed: '0' },
      {
        id: 1,
        v: "O'Hara: \u{1d11e} größe \u{1f600}\u{10ffff} 漢字",
        small: -1,
        large: -9_007_199_254_740_993n,
        needed: 'x',
      },
      { id: 2_147_483_647, v: '  end ', small: 32_767, large: 9_223_372_036_854_775_807n, needed: 'null' },
    ];
    assert.deepEqual(
      changes.filter(({ kind }) => kind === 'insert').map(({ after }) => after),
      expected,
    );
  });

  it('what is rolled back is not told, in whole or in part', async () => {
    await using database = await server.createDatabase();
    await database.run(TABLE);
    await using reader = await new Source(server, database).startFresh();
    await database.run(
      'BEGIN',
      "INSERT INTO t VALUES (1, 'rolled back')",
      'ROLLBACK',
      'BEGIN',
      "INSERT INTO t VALUES (2, 'kept')",
      'SAVEPOINT one',
      "INSERT INTO t VALUES (3, 'rolled back too')",
      "UPDATE t SET v = 'changed' WHERE id = 2",
      'ROLLBACK TO SAVEPOINT one',
      "INSERT INTO t VALUES (4, 'last')",
      'COMMIT',
    );
    const changes = await reader.readThrough('last');
    const rows = changes.filter(({ table }) => table !== null);
    assert.deepEqual(
      rows.map(({ kind, after }) => [kind, after?.v]),
      [
        ['insert', 'kept'],
        ['insert', 'last'],
      ],
    );
  });

  it('while only others write, the position advances, and a start from there is told what follows', async () => {
    await using database = await server.createDatabase();
    await database.run(TABLE);
    const source = new Source(server, database);
    const reader = await source.startFresh();
    const { positions } = server.connector;
    const start = positions.sortKey(positions.decode(reader.from));
    await database.writeElsewhere();
    const changes = await reader.readUntil(
      ({ resumeAt }) => resumeAt !== null && positions.sortKey(positions.decode(resumeAt)) > start,
    );
    assert.ok(
      changes.every(({ kind, table }) => table === null && kind !== 'truncate' && kind !== 'schema'),
      show(changes),
    );
    const advanced = changes.findLast(({ resumeAt }) => resumeAt !== null)!.resumeAt!;
    await awaitUntil(
      'the source is not behind',
      async () => !(await reader.session.readHealth(source.signal)).isBehind,
    );
    await reader[Symbol.asyncDispose]();
    await database.run("INSERT INTO t VALUES (1, 'meanwhile')");
    await using again = await source.resume(advanced);
    assert.deepEqual(insertedTexts(await again.readThrough('meanwhile')), ['meanwhile']);
  });

  it('whoever has come to the end of the log has been told everything before it, and an idle log is come to', {
    timeout: 360_000,
  }, async () => {
    await using database = await server.createDatabase();
    await database.run('CREATE TABLE t (id int PRIMARY KEY, v varchar(4000))');
    const source = new Source(server, database);
    await using reader = await source.startFresh();
    const { positions } = server.connector;
    let told = 0;
    for (let round = 1; round <= HEADS; round += 1) {
      // Of all lengths, so that the end of the log lies anywhere in its pages.
      const text = 'x'.repeat((round * 397) % 4000);
      await database.run(`INSERT INTO t VALUES (${round}, '${text}')`);
      const head = positions.sortKey(await reader.session.readHead(source.signal));
      const changes = await reader.readUntil(
        ({ resumeAt }) => resumeAt !== null && positions.sortKey(positions.decode(resumeAt)) >= head,
      );
      told += changes.filter(({ kind }) => kind === 'insert').length;
      assert.equal(told, round, 'each row comes before the end that the log had behind it');
    }
  });

  it('a batch owns its bytes until it is released', async () => {
    await using database = await server.createDatabase();
    await database.run(TABLE);
    await using reader = await new Source(server, database).startFresh();
    const held = [];
    for (let id = 1; id <= 4; id++) {
      await database.run(`INSERT INTO t VALUES (${id}, '${'x'.repeat(10 * id)}')`);
      for (let isTold = false; !isTold; ) {
        const batch = await reader.nextBatch();
        const seen = reader.see(batch);
        held.push({ batch, seen });
        isTold = seen.some(({ kind }) => kind === 'insert');
      }
    }
    for (const { batch, seen } of held) {
      assert.deepEqual(withoutTransactions(reader.see(batch)), withoutTransactions(seen));
      batch.release();
    }
  });

  it('end() ends the iteration; a stream is closed once however often it is disposed', async () => {
    await using database = await server.createDatabase();
    await database.run(TABLE);
    await using reader = await new Source(server, database).startFresh();
    await database.run("INSERT INTO t VALUES (1, 'last')");
    await reader.readThrough('last');
    const waiting = reader.readUntil(() => false);
    reader.stream.end();
    await assert.rejects(waiting, /the stream ended/);
    await reader.stream[Symbol.asyncDispose]();
    await reader.stream[Symbol.asyncDispose]();
  });
}

/** Looked at a second time, the reader does not know any more which transaction was open. */
function withoutTransactions(changes: readonly object[]): object[] {
  return changes.map((change) => ({ ...change, transaction: null }));
}
