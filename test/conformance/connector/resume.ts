import assert from 'node:assert/strict';
import { it } from 'node:test';
import { ARENA_BYTES } from '../../../src/core/message-arena.ts';
import { awaitUntil } from '../../support/await-until.ts';
import { FaultProxy } from '../../support/fault-proxy.ts';
import type { ConformanceServer } from './conformance-database.ts';
import { insertedTexts, type SeenChange, show, withoutHeartbeats } from './reader.ts';
import { Source } from './source.ts';

const TABLE = 'CREATE TABLE t (id int PRIMARY KEY, v varchar(200))';
const TOUCH_MS = 50;

/** What a restart tells, and when there is none. */
export function testResume(server: ConformanceServer): void {
  const { connector } = server;

  it('a start from any place to resume at tells exactly the rest, with the same values, ids and positions', async () => {
    await using database = await server.createDatabase();
    await database.run(TABLE, 'CREATE TABLE other (id int PRIMARY KEY, v varchar(200))');
    const source = new Source(server, database);
    const first = await source.startFresh();
    await database.run(
      "INSERT INTO t VALUES (1, 'a'), (2, 'b')",
      'BEGIN',
      "UPDATE t SET v = 'changed' WHERE id = 1",
      "INSERT INTO other VALUES (1, 'o')",
      'DELETE FROM t WHERE id = 2',
      'COMMIT',
      'TRUNCATE TABLE other',
      'UPDATE t SET id = 5 WHERE id = 1',
      'ALTER TABLE t ADD COLUMN c int',
      "INSERT INTO t VALUES (6, 'six', 6)",
      "INSERT INTO t VALUES (7, 'end', 7)",
    );
    const all = await first.readThrough('end');
    await first[Symbol.asyncDispose]();
    // The last two heartbeats in a row say more than the first.
    const places = all.flatMap(({ resumeAt }, index) =>
      resumeAt !== null && all[index + 1]?.kind !== 'heartbeat' ? [{ resumeAt, rest: all.slice(index + 1) }] : [],
    );
    const ends = [{ resumeAt: first.from, rest: all }, ...places.slice(0, -1)];
    assert.ok(ends.length >= 6, `${ends.length} places`);
    for (const { resumeAt, rest } of ends) {
      await using reader = await source.resume(resumeAt);
      const again = await reader.readThrough('end');
      assert.deepEqual(relevant(again), relevant(rest), `from ${resumeAt}`);
    }
    const last = places.at(-1)!.resumeAt;
    await using reader = await source.resume(last);
    await database.run("INSERT INTO t VALUES (8, 'more', 8)");
    assert.deepEqual(insertedTexts(await reader.readThrough('more')), ['more']);
  });

  it('rows from before a DDL keep the version they were written with, read late or replayed after more DDL', async () => {
    await using database = await server.createDatabase();
    await database.run(TABLE);
    const source = new Source(server, database);
    const first = await source.startFresh();
    // Nothing is read before all of this happened.
    await database.run(
      "INSERT INTO t VALUES (1, 'a')",
      'ALTER TABLE t ADD COLUMN c int DEFAULT 5 NOT NULL',
      "INSERT INTO t (id, v) VALUES (2, 'b')",
    );
    const rows = rowsOf(await first.readThrough('b'));
    assert.deepEqual(
      rows.map(({ after }) => after),
      [
        { id: 1, v: 'a' },
        { id: 2, v: 'b', c: 5 },
      ],
    );
    await first[Symbol.asyncDispose]();
    await database.run(
      'ALTER TABLE t ADD COLUMN d varchar(10)',
      'ALTER TABLE t DROP COLUMN c',
      "INSERT INTO t (id, v) VALUES (3, 'c')",
    );
    await using second = await source.resume(first.from);
    const replayed = rowsOf(await second.readThrough('c'));
    assert.deepEqual(replayed.slice(0, 2), rows, 'byte for byte, of the same version');
    assert.deepEqual(replayed[2]?.after, { id: 3, v: 'c', d: null });
    assert.equal(new Set(replayed.map(({ fingerprint }) => fingerprint)).size, 3);
  });

  it('a second reader of the same source waits, says so, and goes on when the first has ended', async () => {
    await using database = await server.createDatabase();
    await database.run(TABLE);
    const first = new Source(server, database);
    const running = await first.startFresh();
    const second = new Source(server, database, { name: first.name });
    await using session = await second.open();
    const stop = new AbortController();
    const stopped = session.claim(stop.signal);
    await awaitUntil('it says that it waits', () => second.warnings.some(({ message }) => /waiting/.test(message)));
    stop.abort(new Error('stopped'));
    await assert.rejects(stopped, /stopped/, 'waiting ends when it is told to');
    let claimed = false;
    const claim = session.claim(second.signal).then(() => {
      claimed = true;
    });
    await running.session.confirmOwnership(first.signal);
    await database.run("INSERT INTO t VALUES (1, 'undisturbed')");
    const seen = await running.readThrough('undisturbed');
    assert.equal(claimed, false);
    await running[Symbol.asyncDispose]();
    await claim;
    // What the first did meanwhile is not held against the second.
    const published = seen.findLast(({ resumeAt }) => resumeAt !== null)!.resumeAt;
    const verdict = await session.assessResume(second.checkpoint(session, published));
    assert.equal(verdict.kind, 'resume', JSON.stringify(verdict));
  });

  it('a connection that breaks is a transient error, and nothing is lost', async () => {
    await using database = await server.createDatabase();
    await database.run(TABLE);
    await using proxy = await FaultProxy.inFrontOf(database.url);
    const source = new Source(server, database, { more: { url: proxy.urlFor(database.url) } });
    const reader = await source.startFresh();
    await proxy.become({ kind: 'refuse' });
    await assert.rejects(reader.readThrough('never'), { errorClass: 'transient' });
    await assert.rejects(reader.session.confirmOwnership(source.signal), { errorClass: 'transient' });
    await reader[Symbol.asyncDispose]();
    await assert.rejects(source.resume(reader.from), { errorClass: 'transient' });
    await database.run("INSERT INTO t VALUES (1, 'meanwhile')");
    await proxy.become({ kind: 'none' });
    await using again = await source.resume(reader.from);
    assert.deepEqual(insertedTexts(await again.readThrough('meanwhile')), ['meanwhile']);
  });

  it('a creation that was interrupted begins again, and teardown leaves nothing, twice too', async () => {
    await using database = await server.createDatabase();
    await database.run(TABLE);
    const before = await database.traces();
    const source = new Source(server, database);
    const interrupted = await source.startFresh();
    await interrupted[Symbol.asyncDispose]();
    {
      await using session = await source.open();
      await session.claim(source.signal);
      assert.deepEqual(await session.assessResume(source.checkpoint(session, null)), { kind: 'fresh' });
      const from = await session.initialise(source.schemas, source.signal);
      await using stream = await session.stream(from, source.schemas, source.signal);
      stream.end();
    }
    for (let time = 0; time < 2; time++) {
      await connector.teardown(source.config, source.dependencies, source.signal);
      assert.deepEqual(await database.traces(), before);
    }
  });

  it('a first start that ends before it streams is gone on with, also where the table changed since', async () => {
    await using database = await server.createDatabase();
    await database.run(TABLE);
    const source = new Source(server, database);
    const session = await source.open();
    await session.claim(source.signal);
    const from = connector.positions.encode(await session.initialise(source.schemas, source.signal));
    await session[Symbol.asyncDispose]();
    await database.run("INSERT INTO t VALUES (1, 'before')", 'ALTER TABLE t ADD COLUMN c int');
    await database.run("INSERT INTO t VALUES (2, 'after', 2)");
    await using reader = await source.resume(from);
    assert.deepEqual(insertedTexts(await reader.readThrough('after')), ['before', 'after']);
  });

  it('a log that is gone needs a resync: never a later start', { timeout: 240_000 }, async (t) => {
    await using database = await server.createDatabase();
    await database.run(TABLE);
    for (const { because, happen } of database.losses) {
      const source = new Source(server, database);
      const first = await source.startFresh();
      await database.run('DELETE FROM t WHERE id <> 0', "INSERT INTO t VALUES (1, 'published')");
      const position = (await first.readThrough('published')).findLast(({ resumeAt }) => resumeAt !== null)!.resumeAt!;
      first.stream.acknowledge(connector.positions.decode(position));
      await first[Symbol.asyncDispose]();
      await database.run("INSERT INTO t VALUES (2, 'lost')");
      const checkpoint = await happen(source.name, position);
      await database.run("INSERT INTO t VALUES (3, 'later')");
      const told: SeenChange[] = [];
      await assert.rejects(
        async () => {
          await using reader = await source.resume(checkpoint);
          told.push(...(await reader.readThrough('later')));
        },
        (error: { errorClass?: unknown; remedy?: unknown; message: string }) => {
          assert.equal(error.errorClass, 'resync-required', `${because}: ${error.message}`);
          assert.match(String(error.remedy), /resync/);
          t.diagnostic(`${because}: ${error.message}`);
          return true;
        },
      );
      assert.equal(show(told), '[]');
      await connector.teardown(source.config, source.dependencies, source.signal);
    }
  });

  it('a reader that stops pulling keeps its connection and buffers little, also inside of a large transaction', {
    timeout: 300_000,
  }, async () => {
    await using database = await server.createDatabase();
    await database.run(`CREATE TABLE t (id int PRIMARY KEY, v ${database.largeText.type})`);
    await using impatience = await database.becomeImpatient();
    const source = new Source(server, database);
    await using reader = await source.startFresh();
    const idleBytes = process.memoryUsage().arrayBuffers;
    let peakBytes = 0;
    const measure = () => {
      peakBytes = Math.max(peakBytes, process.memoryUsage().arrayBuffers - idleBytes);
    };
    await database.run('BEGIN');
    for (let from = 0; from < ROWS; from += ROWS_PER_STATEMENT) {
      const rows = Array.from({ length: ROWS_PER_STATEMENT }, (_, i) => `(${from + i}, repeat('x', ${ROW_BYTES}))`);
      await database.run(`INSERT INTO t VALUES ${rows.join()}`);
    }
    await database.run("UPDATE t SET v = 'first' WHERE id = 0", 'COMMIT', "INSERT INTO t VALUES (-1, 'end')");
    let behindSince = Number.POSITIVE_INFINITY;
    await awaitUntil(
      'the server has waited for longer than it would for others',
      async () => {
        measure();
        const { isBehind } = await reader.session.readHealth(source.signal);
        behindSince = isBehind ? Math.min(behindSince, performance.now()) : Number.POSITIVE_INFINITY;
        return performance.now() - behindSince > 2 * impatience.patienceMs;
      },
      { timeoutMs: 90_000, intervalMs: TOUCH_MS },
    );
    let [rows, begins, commits, largestBatch] = [0, 0, 0, 0];
    for (let ended = false; !ended; ) {
      const batch = await reader.nextBatch();
      for (const change of reader.see(batch)) {
        if (change.kind === 'insert') {
          ended ||= change.after?.v === 'end';
          if (!ended) assert.equal(change.after?.id, rows);
          rows += 1;
        }
        if (rows > 0 && change.kind === 'begin') begins += 1;
        if (rows > 0 && change.kind === 'commit') commits += 1;
      }
      largestBatch = Math.max(largestBatch, batch.bytes.length);
      batch.release();
      measure();
    }
    assert.equal(rows, ROWS + 1);
    assert.equal(begins, 1, 'the large transaction is one');
    assert.ok(commits >= 1);
    assert.ok(largestBatch <= ARENA_BYTES, `a batch of ${largestBatch} bytes`);
    assert.ok(peakBytes < MAX_BUFFERED_BYTES, `${Math.round(peakBytes / 1024)} KiB of buffers`);
    await awaitUntil('it caught up', async () => !(await reader.session.readHealth(source.signal)).isBehind);
  });

  it('a value as large as the server takes arrives whole', { timeout: 240_000 }, async () => {
    await using database = await server.createDatabase();
    const { type, maxBytes } = database.largeText;
    const times = Math.floor(Math.min(maxBytes, LARGEST_BYTES) / 16);
    await database.run(`CREATE TABLE t (id int PRIMARY KEY, v varchar(20), large ${type})`);
    await using reader = await new Source(server, database).startFresh();
    await database.run(
      `INSERT INTO t VALUES (1, 'large', repeat('0123456789abcdef', ${times}))`,
      "INSERT INTO t VALUES (2, 'end', '')",
    );
    const [large] = rowsOf(await reader.readThrough('end'));
    const text = String(large?.after?.large);
    assert.equal(text.length, 16 * times);
    assert.ok(text.length > 2_000_000);
    assert.ok(text.startsWith('0123456789abcdef01') && text.endsWith('ef0123456789abcdef'));
  });
}

/** 48 MB: several times what is buffered in both processes and the sockets between them. */
const ROWS = 24_000;
const ROWS_PER_STATEMENT = 1_000;
const ROW_BYTES = 2_000;
const LARGEST_BYTES = 32 * 1024 * 1024;
const MAX_BUFFERED_BYTES = 32 * 1024 * 1024;

function rowsOf(changes: readonly SeenChange[]): SeenChange[] {
  return changes.filter(({ table }) => table !== null);
}

/** What a transaction tells that touched no captured table is empty: whether it is told may depend on where one starts. */
function relevant(changes: readonly SeenChange[]): SeenChange[] {
  return withoutHeartbeats(changes);
}
