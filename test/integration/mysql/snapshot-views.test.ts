import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { RowDataPacket } from 'mysql2';
import type { MySqlPosition } from '../../../connectors/mysql/positions.ts';
import { Gtid } from '../../../connectors/mysql/protocol/gtid.ts';
import { ReaderPool } from '../../../connectors/mysql/snapshot/reader-pool.ts';
import { underTableLock } from '../../../connectors/mysql/snapshot/table-lock.ts';
import { compareSpots, type LogSpot } from '../../../connectors/mysql/snapshot/view-bounds.ts';
import { type ChangeBatch, ChangeKind, type TransactionCommit } from '../../../src/core/change-batch.ts';
import type { SnapshotTable, SnapshotView } from '../../../src/core/snapshot.ts';
import { RowCells } from '../../../src/core/table.ts';
import { awaitUntil } from '../../support/await-until.ts';
import { chunkOf, drain, type LabStream, SnapshotLab } from '../../support/mysql-snapshot.ts';
import { PlainWriter } from '../../support/plain-writer.ts';
import { testedServers } from '../../support/server-features.ts';
import { SeededRandom } from '../../support/workload-random.ts';

const IDS = 40;
const KEYS = [
  ['with a key', 'PRIMARY KEY'],
  ['without a key', 'KEY'],
] as const;
const XA_WRITER = 3;
const cells = new RowCells(8);

/** `[id, v]` of each row of the kinds. */
function rowsOf(batch: ChangeBatch<MySqlPosition>, index: number): [number, number] {
  const version = batch.versions[index]!;
  version.locate(batch, index, 'after', cells);
  return ['id', 'v'].map((name) => {
    const at = version.columns.findIndex((column) => column.name === name);
    const { codec } = version.columns[at]!;
    const writer = new PlainWriter(codec.schema);
    codec.write(batch.bytes, cells.starts[at]!, cells.ends[at]!, writer);
    return Number(writer.take());
  }) as [number, number];
}

interface Told {
  readonly isInView: boolean;
  readonly rows: Map<number, number>;
}

/** Pulls the stream and remembers, in place of the pipeline. */
class Watcher {
  position: MySqlPosition;
  /** Newest value that was emitted of each row. */
  readonly emitted = new Map<number, number>();
  view: SnapshotView<MySqlPosition> | null = null;
  told: Told[] = [];
  failure: unknown = null;
  #open: Told | null = null;
  #isResting = false;
  #rest: PromiseWithResolvers<void> | null = null;
  readonly #done: Promise<void>;

  constructor(stream: LabStream) {
    this.position = stream.from;
    this.#done = this.#pull(stream).catch((error: unknown) => {
      this.failure = error;
    });
  }

  /** Nothing is emitted from now on, until `goOn`. */
  rest(): void {
    this.#isResting = true;
  }

  goOn(): void {
    this.#isResting = false;
    this.#rest?.resolve();
    this.#rest = null;
  }

  get isBetween(): boolean {
    return this.#open === null;
  }

  ended(): Promise<void> {
    return this.#done;
  }

  async #pull({ changes }: LabStream): Promise<void> {
    for await (const batch of changes) {
      for (let index = 0; index < batch.count; index++) {
        // As the pipeline: at the boundary of a transaction.
        while (this.#isResting && this.#open === null) {
          this.#rest ??= Promise.withResolvers<void>();
          await this.#rest.promise;
        }
        this.#take(batch, index);
      }
      batch.release();
    }
  }

  #take(batch: ChangeBatch<MySqlPosition>, index: number): void {
    switch (batch.kinds[index]) {
      case ChangeKind.begin:
        this.#open = { isInView: this.view?.contains(batch, index) ?? false, rows: new Map() };
        break;
      case ChangeKind.insert:
      case ChangeKind.update: {
        const [id, v] = rowsOf(batch, index);
        this.#open?.rows.set(id, v);
        break;
      }
      case ChangeKind.commit:
        for (const [id, v] of this.#open!.rows) this.emitted.set(id, v);
        if (this.view !== null) this.told.push(this.#open!);
        this.#open = null;
        this.position = (batch.details[index] as TransactionCommit<MySqlPosition>).resumeAt;
        break;
      case ChangeKind.heartbeat:
        this.position = (batch.details[index] as TransactionCommit<MySqlPosition>).resumeAt;
        break;
      default:
    }
  }
}

/** Writers that each count rows up, several in a transaction, until they are told to end. */
async function write(
  lab: SnapshotLab,
  seed: number,
  end: AbortSignal,
): Promise<{ transactions: number; longestMs: number }> {
  const random = new SeededRandom(seed);
  const connection = await lab.database.connect();
  let transactions = 0;
  let longestMs = 0;
  try {
    await connection.query('SET SESSION innodb_lock_wait_timeout = 20');
    while (!end.aborted) {
      const ids = [...new Set(Array.from({ length: random.int(1, 4) }, () => random.int(1, IDS)))].sort(
        (a, b) => a - b,
      );
      const startedMs = performance.now();
      // One of the writers takes part in distributed transactions.
      const xid = seed === XA_WRITER ? `'${lab.database.name} ${transactions}'` : null;
      for (const statement of xid === null ? ['BEGIN'] : [`XA START ${xid}`]) await connection.query(statement);
      for (const id of ids) await connection.query('UPDATE t SET v = v + 1 WHERE id = ?', [id]);
      const ends = xid === null ? ['COMMIT'] : [`XA END ${xid}`, `XA PREPARE ${xid}`, `XA COMMIT ${xid}`];
      for (const statement of ends) await connection.query(statement);
      longestMs = Math.max(longestMs, performance.now() - startedMs);
      transactions += 1;
    }
    return { transactions, longestMs };
  } finally {
    await connection.end();
  }
}

async function readView(view: SnapshotView<MySqlPosition>, table: SnapshotTable, reader: number, signal: AbortSignal) {
  const seen = new Map<number, number>();
  await drain(view.read(chunkOf(table), reader, signal), (batch) => {
    for (let index = 0; index < batch.count; index++) {
      const [id, v] = rowsOf(batch, index);
      seen.set(id, v);
    }
  });
  return seen;
}

async function fill(lab: SnapshotLab, key: string): Promise<void> {
  await lab.database.query(`CREATE TABLE t (id int NOT NULL, v int NOT NULL, ${key} (id))`);
  const rows = Array.from({ length: IDS }, (_, index) => `(${index + 1}, 0)`);
  await lab.database.query(`INSERT INTO t VALUES ${rows.join(', ')}`);
}

/** Opens views and asks where they stand, as backups and monitors do, until told to end. */
async function ask(lab: SnapshotLab, end: AbortSignal): Promise<void> {
  const connection = await lab.database.connect();
  try {
    while (!end.aborted) {
      await connection.query('START TRANSACTION WITH CONSISTENT SNAPSHOT');
      await connection.query("SHOW STATUS LIKE 'binlog_snapshot_%'");
      await connection.query('COMMIT');
      await connection.query("SHOW GLOBAL STATUS LIKE 'binlog_snapshot_%'");
    }
  } finally {
    await connection.end();
  }
}

/** Counts row 1 up, and remembers where in the log each count ends. */
async function count(lab: SnapshotLab, ends: Map<number, LogSpot>, end: AbortSignal): Promise<void> {
  const connection = await lab.database.connect();
  try {
    for (let v = 1; !end.aborted; v++) {
      await connection.query('UPDATE t SET v = ? WHERE id = 1', [v]);
      const [rows] = await connection.query<RowDataPacket[]>('SHOW MASTER STATUS');
      ends.set(v, { file: String(rows[0]!.File), position: Number(rows[0]!.Position) });
    }
  } finally {
    await connection.end();
  }
}

const MARIADB_OPENINGS = 400;

for (const { server, label } of await testedServers()) {
  describe(`${label}: views beside writers`, () => {
    for (const [kind, key] of server === 'mariadb' ? KEYS : []) {
      it(`of a table ${kind} stand where they say, whoever else asks for such places`, {
        timeout: 300_000,
      }, async () => {
        await using lab = await SnapshotLab.open(server);
        await fill(lab, key);
        const table = await lab.table('t');
        const ends = new Map<number, LogSpot>();
        const seen: { mark: string; values: number[] }[] = [];
        const end = new AbortController();
        const others = [count(lab, ends, end.signal), ...[1, 2, 3].map(() => ask(lab, end.signal))];
        try {
          await awaitUntil('it is written', async () => ends.size > 10);
          while (seen.length < MARIADB_OPENINGS) {
            const opened = await lab.reader.openView({ tables: [table], readers: 2, emittedUpTo: null }, lab.signal);
            if ('refusal' in opened) continue;
            const both = await Promise.all([0, 1].map((reader) => readView(opened, table, reader, lab.signal)));
            seen.push({ mark: opened.mark, values: both.map((rows) => rows.get(1)!) });
            await opened[Symbol.asyncDispose]();
          }
        } finally {
          end.abort();
          await Promise.all(others);
        }
        for (const { mark, values } of seen) {
          const [, file, certain, lastFile, possible] = /^places 0 (.*):(\d+) (.*):(\d+)$/.exec(mark)!;
          for (const v of values) {
            const stands = ends.get(v)!;
            const isWithin =
              compareSpots({ file: file!, position: Number(certain) }, stands) <= 0 &&
              compareSpots(stands, { file: lastFile!, position: Number(possible) }) <= 0;
            assert.ok(isWithin, `${mark}, and it shows what ends at ${stands.file}:${stands.position}`);
          }
          if (key === 'KEY') assert.equal(certain, possible, 'of a table without key it is known exactly');
        }
      });
    }

    for (const [kind, key, rounds] of [
      ['with a key', 'PRIMARY KEY', 12],
      ['without a key', 'KEY', 8],
    ] as const) {
      it(`of a table ${kind} are what they say`, { timeout: 300_000 }, async () => {
        await using lab = await SnapshotLab.open(server);
        await using stream = await lab.stream();
        await fill(lab, key);
        const table = await lab.table('t');
        assert.equal(table.key === null, key === 'KEY');
        const watcher = new Watcher(stream);
        const end = new AbortController();
        const writers = [1, 2, 3].map((seed) => write(lab, seed, end.signal));
        try {
          await awaitUntil('rows were streamed', async () => watcher.emitted.size === IDS);
          for (let round = 0; round < rounds; round++) {
            watcher.rest();
            await awaitUntil('the stream rests', async () => watcher.isBetween);
            const view = await awaitUntil('there is a view', async () => {
              const opened = await lab.reader.openView(
                { tables: [table], readers: 2, emittedUpTo: watcher.position },
                lab.signal,
              );
              return 'refusal' in opened ? null : opened;
            });
            const before = new Map(watcher.emitted);
            watcher.told = [];
            watcher.view = view;
            watcher.goOn();
            await awaitUntil('the stream has passed the view', async () => {
              if (watcher.failure !== null) throw watcher.failure;
              return view.isPassed(watcher.position);
            });
            watcher.rest();
            await awaitUntil('the stream rests', async () => watcher.isBetween);
            for (const reader of [0, 1]) {
              const seen = await readView(view, table, reader, lab.signal);
              assert.equal(seen.size, IDS);
              for (const [id, v] of before) assert.ok(seen.get(id)! >= v, 'what was emitted before is visible');
              for (const [id, v] of seen) assert.ok(watcher.emitted.get(id)! >= v, 'what is visible was emitted');
              for (const { isInView, rows } of watcher.told) {
                for (const [id, v] of rows) {
                  if (isInView) assert.ok(seen.get(id)! >= v, 'what is certainly in the view is');
                  else if (key === 'KEY') assert.ok(seen.get(id)! < v, 'what is not in the view is not');
                }
              }
            }
            watcher.view = null;
            await view[Symbol.asyncDispose]();
            watcher.goOn();
          }
        } finally {
          end.abort();
          watcher.goOn();
          const results = await Promise.all(writers);
          stream.changes.end();
          await watcher.ended();
          assert.ok(results.every(({ transactions }) => transactions > 20));
          assert.ok(
            results.every(({ longestMs }) => longestMs < 3_000),
            'no writer waited for long',
          );
        }
      });
    }

    it('are refused while what was emitted is not visible', async () => {
      await using lab = await SnapshotLab.open(server);
      await using stream = await lab.stream();
      await fill(lab, 'PRIMARY KEY');
      const table = await lab.table('t');
      const { gtids } = stream.from;
      const unknown = '00000000-0000-0000-0000-000000000001';
      const future: MySqlPosition =
        server === 'mysql' && gtids !== null
          ? { ...stream.from, gtids: gtids.with(new Gtid(unknown, ':', 9)) }
          : { ...stream.from, pos: stream.from.pos + 1e12 };
      const refused = await lab.reader.openView({ tables: [table], readers: 2, emittedUpTo: future }, lab.signal);
      assert.ok('refusal' in refused);
      assert.match(refused.refusal, /not visible/);
      const open = await lab.reader.openView({ tables: [table], readers: 2, emittedUpTo: stream.from }, lab.signal);
      assert.ok(!('refusal' in open));
      await open[Symbol.asyncDispose]();
    });

    it('wait a second at most for who writes to a table that is locked, and let everybody go on', async () => {
      await using lab = await SnapshotLab.open(server);
      await fill(lab, 'KEY');
      const table = await lab.table('t');
      await using pool = new ReaderPool(lab.config.connection, lab.dependencies.clock, lab.server);
      const [holder] = await pool.take(1, lab.signal);
      const writer = await lab.database.connect();
      const lock = (act: () => Promise<string>) => underTableLock(holder!, [table], act, lab.signal);
      try {
        await writer.beginTransaction();
        await writer.query('UPDATE t SET v = 1 WHERE id = 1');
        const startedMs = performance.now();
        const late = await lock(async () => assert.fail('the table is written to'));
        assert.ok(typeof late === 'object' && late.refusal.includes(`${lab.database.name}.t`));
        assert.ok(performance.now() - startedMs < 3_000);
        // Neither the one that wrote nor another has to wait any more.
        await lab.database.query('UPDATE t SET v = 1 WHERE id = 2');
        await writer.commit();
        let isWritten = false;
        let writing: Promise<unknown> = Promise.resolve();
        const done = await lock(async () => {
          writing = writer.query('UPDATE t SET v = 2 WHERE id = 1').then(() => {
            isWritten = true;
          });
          await awaitUntil('the writer waits', async () => {
            const rows = await lab.database.query<{ Info: string | null }>('SHOW FULL PROCESSLIST');
            return rows.some(({ Info }) => Info?.startsWith('UPDATE t SET v = 2') === true);
          });
          assert.ok(!isWritten);
          return 'done';
        });
        assert.equal(done, 'done');
        await writing;
        await lab.database.query('DROP TABLE t');
        await assert.rejects(
          lock(async () => 'never'),
          { code: 'MYSQL_TABLE_CHANGED' },
        );
      } finally {
        await writer.end();
      }
    });

    it('are passed by a stream to which nothing comes', { timeout: 240_000 }, async () => {
      await using lab = await SnapshotLab.open(server);
      await fill(lab, 'PRIMARY KEY');
      await using stream = await lab.stream();
      const watcher = new Watcher(stream);
      const table = await lab.table('t');
      const view = await lab.view([table], 1, stream.from);
      await awaitUntil('the stream has passed the view', async () => view.isPassed(watcher.position), {
        timeoutMs: 20_000,
      });
      await view[Symbol.asyncDispose]();
      stream.changes.end();
      await watcher.ended();
    });
  });
}
