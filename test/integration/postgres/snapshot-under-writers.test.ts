import assert from 'node:assert/strict';
import { test } from 'node:test';
import pg from 'pg';
import type { PgPosition } from '../../../connectors/postgres/positions.ts';
import { type ChangeBatch, ChangeKind, type RowImage } from '../../../src/core/change-batch.ts';
import type { RowKey, SnapshotView } from '../../../src/core/snapshot.ts';
import { RowCells } from '../../../src/core/table.ts';
import { awaitUntil } from '../../support/await-until.ts';
import { createPostgresDatabase, type PostgresDatabase } from '../../support/postgres-database.ts';
import { chunkOf, NO_LIMITS, openReader, tableNamed, tryToOpenView } from './reader-under-test.ts';
import { SourceUnderTest } from './source-under-test.ts';

/** Few, so that each is often written to while it is read. */
const ROWS = 30;
/** How often the table is read. */
const PASSES = 2;
const WRITERS = 4;

/** Writes until it is stopped: what it does to a key it does with a higher number than whoever did so before. */
async function write(database: PostgresDatabase, seed: number, stop: AbortSignal): Promise<void> {
  let state = seed * 2_654_435_761 + 1;
  const random = (below: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  try {
    while (!stop.aborted) {
      await client.query('BEGIN');
      try {
        for (let change = random(4); change >= 0; change--) {
          const key = random(ROWS);
          const other = random(8) === 0 ? random(ROWS) : key;
          // Numbers are drawn by whoever has the key: else one that waited for it would write a lower one later.
          for (const locked of new Set([key, other])) await client.query('SELECT pg_advisory_xact_lock($1)', [locked]);
          const next = "nextval('numbers')";
          if (other !== key) await client.query(`UPDATE t SET a = $2, v = ${next} WHERE a = $1`, [key, other]);
          else if (random(6) === 0) await client.query('DELETE FROM t WHERE a = $1', [key]);
          else
            await client.query(`INSERT INTO t VALUES ($1, ${next}) ON CONFLICT (a) DO UPDATE SET v = ${next}`, [key]);
          if (random(10) === 0) await client.query('SELECT pg_sleep(0.02)');
        }
        await client.query(random(8) === 0 ? 'ROLLBACK' : 'COMMIT');
      } catch (error) {
        // Deadlocks, and keys that somebody else took.
        if (!['40P01', '23505'].includes(String((error as { code?: string }).code))) throw error;
        await client.query('ROLLBACK');
      }
    }
  } finally {
    await client.end();
  }
}

/** What consumers know: the number of each key, and the highest that they ever saw of it. */
class Consumer {
  readonly rows = new Map<string, number>();
  readonly #highest = new Map<string, number>();
  reads = 0;

  set(key: string, value: number, isRead: boolean): void {
    const highest = this.#highest.get(key) ?? 0;
    const isBack = value < highest || (isRead && value === highest && !this.rows.has(key));
    assert.ok(
      !isBack,
      `the key ${key} steps back from ${highest} to ${value}${isRead ? ' by a row that was read' : ''}`,
    );
    this.#highest.set(key, value);
    this.rows.set(key, value);
    if (isRead) this.reads += 1;
  }
}

async function lastNumber(database: PostgresDatabase): Promise<number> {
  const [row] = await database.query<{ number: string }>('SELECT last_value AS number FROM numbers');
  return Number(row!.number);
}

const cells = new RowCells();

function image(batch: ChangeBatch<unknown>, index: number, which: RowImage): readonly [key: string, value: number] {
  const version = batch.versions[index]!;
  cells.reserve(version.columns.length);
  version.locate(batch, index, which, cells);
  const text = (column: number) =>
    cells.starts[column]! < 0 ? '' : batch.bytes.toString('latin1', cells.starts[column], cells.ends[column]);
  return [text(0), Number(text(1))];
}

for (const seed of [1, 2]) {
  test(`tables that are written to are read without a row lost, left over or stepping back (seed ${seed})`, {
    timeout: 360_000,
  }, async () => {
    await using database = await createPostgresDatabase({
      sql: `CREATE SEQUENCE numbers; CREATE TABLE t (a int PRIMARY KEY, v bigint);
            INSERT INTO t SELECT i, nextval('numbers') FROM generate_series(0, ${ROWS - 1}) i`,
    });
    const tested = new SourceUnderTest(database);
    await using source = await tested.startFresh();
    const stopping = new AbortController();
    const writers = Array.from({ length: WRITERS }, (_, index) => write(database, seed * 100 + index, stopping.signal));
    await using reader = await openReader(tested);
    const table = await tableNamed(reader, 'public.t');
    const consumer = new Consumer();
    let position: PgPosition = source.from;
    let isOpen = false;

    /** One batch of the stream, noting the keys of transactions that the view may not show. */
    const pull = async (view: SnapshotView<PgPosition> | null, noted: Set<string>): Promise<void> => {
      const { value: batch, done } = await source.next();
      assert.notEqual(done, true);
      let isCertain = false;
      for (let index = 0; index < batch!.count; index++) {
        const kind = batch!.kinds[index];
        const detail = batch!.details[index] ?? null;
        if (kind === ChangeKind.begin) {
          reader.emitted(batch!, index);
          isCertain = view?.contains(batch!, index) ?? false;
          isOpen = true;
          uncertain = view !== null && !isCertain;
        }
        if (kind === ChangeKind.insert || kind === ChangeKind.update || kind === ChangeKind.delete) {
          if (batch!.hasBefore[index] === 1) {
            const [key] = image(batch!, index, 'before');
            if (uncertain) noted.add(key);
            consumer.rows.delete(key);
          }
          if (kind !== ChangeKind.delete) {
            const [key, value] = image(batch!, index, 'after');
            if (uncertain) noted.add(key);
            consumer.set(key, value, false);
          }
        }
        if (kind === ChangeKind.commit) isOpen = false;
        if (detail !== null && 'resumeAt' in detail) position = detail.resumeAt;
      }
      batch!.release();
    };
    let uncertain = false;
    const pullToBoundary = async (view: SnapshotView<PgPosition> | null, noted: Set<string>) => {
      do await pull(view, noted);
      while (isOpen);
    };

    let after: RowKey | null = null;
    let rounds = 0;
    let refusals = 0;
    let seen = 0;
    for (let passes = 0; passes < PASSES; ) {
      const noted = new Set<string>();
      await pullToBoundary(null, noted);
      // The view is then ahead of what was emitted.
      await awaitUntil('the writers went on', async () => (await lastNumber(database)) > seen + ROWS, {
        intervalMs: 1,
      });
      seen = await lastNumber(database);
      const view = await tryToOpenView(reader, [table], 1, position);
      if (typeof view === 'string') {
        refusals += 1;
        continue;
      }
      await using _ = view;
      while (!view.isPassed(position)) await pullToBoundary(view, noted);
      const reading = view.read(chunkOf(table, { after, limits: { ...NO_LIMITS, rows: 1 } }), 0, tested.signal);
      for (;;) {
        const { value, done } = await reading.next();
        if (done === true) {
          after = value.isDone ? null : (value.last ?? after);
          if (value.isDone) passes += 1;
          break;
        }
        for (let index = 0; index < value.count; index++) {
          const [key, number] = image(value, index, 'after');
          if (!noted.has(key)) consumer.set(key, number, true);
        }
        value.release();
      }
      rounds += 1;
    }
    stopping.abort();
    await Promise.all(writers);
    const [end] = await database.query<{ number: string }>(
      `INSERT INTO t VALUES (-1, nextval('numbers')) RETURNING v AS number`,
    );
    while (consumer.rows.get('-1') !== Number(end!.number)) await pullToBoundary(null, new Set());

    const rows = await database.query<{ a: number; v: string }>('SELECT a, v FROM t ORDER BY a');
    const known = [...consumer.rows].map(([key, value]) => [Number(key), value] as const).sort(([a], [b]) => a - b);
    assert.deepEqual(
      known,
      rows.map(({ a, v }) => [a, Number(v)] as const),
    );
    assert.ok(rounds > 30 && consumer.reads > 10, `${rounds} rounds, ${refusals} refusals, ${consumer.reads} rows`);
  });
}
