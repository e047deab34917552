import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RunSummary } from '../../src/cli/application.ts';
import { CommandProcess, runCommand as tailrace } from '../support/command-process.ts';
import { Daemon } from '../support/daemon-process.ts';
import { deleteKafkaTopics } from '../support/kafka-topics.ts';
import { createMysqlDatabase, mysqlSource } from '../support/mysql-database.ts';
import { createPostgresDatabase, type PostgresDatabase } from '../support/postgres-database.ts';
import { readEnvelopes } from '../support/read-rows.ts';
import { testSource } from '../support/test-source.ts';
import { uniqueName } from '../support/unique-name.ts';

const TABLE = 'CREATE TABLE t (id int PRIMARY KEY)';
const BATCHES = 4;
const ROWS = 20_000;

interface Summary {
  readonly sources: readonly RunSummary[];
}

function batch(config: string, ...more: string[]) {
  return tailrace(['run', '--until-caught-up', '--json', '-c', config, ...more]);
}

async function idsIn(topic: string): Promise<number[]> {
  return (await readEnvelopes(topic)).map(({ after }) => Number(after?.id));
}

test('each run publishes and checkpoints everything that was committed before it, and ends', {
  timeout: 300_000,
}, async () => {
  const names = { postgres: uniqueName('batch'), mysql: uniqueName('batch'), mariadb: uniqueName('batch') };
  await using postgres = await createPostgresDatabase({ prefix: 'batch', sql: TABLE });
  await using mysql = await createMysqlDatabase('mysql', [TABLE]);
  await using mariadb = await createMysqlDatabase('mariadb', [TABLE]);
  await using daemon = await Daemon.create({
    sources: [
      testSource(names.postgres, postgres),
      mysqlSource(names.mysql, mysql),
      mysqlSource(names.mariadb, mariadb),
    ],
  });
  const topics = {
    [names.postgres]: `${names.postgres}.public.t`,
    [names.mysql]: `${names.mysql}.${mysql.name}.t`,
    [names.mariadb]: `${names.mariadb}.${mariadb.name}.t`,
  };
  try {
    const first = await batch(daemon.configPath);
    assert.equal(first.code, 0, first.err.slice(-2_000));
    for (const source of (JSON.parse(first.out) as Summary).sources) {
      assert.deepEqual([source.state, source.changes, source.error], ['caught-up', 0, null]);
    }
    for (let number = 0; number < BATCHES; number += 1) {
      const from = number * ROWS + 1;
      // Small transactions behind a large one: nothing is in flight, and for a moment the source has nothing to say.
      await postgres.query('INSERT INTO t SELECT generate_series($1::int, $2::int)', [from, from + ROWS - 3]);
      for (const id of [from + ROWS - 2, from + ROWS - 1]) await postgres.query('INSERT INTO t VALUES ($1)', [id]);
      for (const database of [mysql, mariadb]) {
        const values = Array.from({ length: 500 }, (_, index) => `(${from + index})`);
        await database.query(`INSERT INTO t VALUES ${values.join()}`);
      }
      const { code, out, err } = await batch(daemon.configPath);
      assert.equal(code, 0, err.slice(-2_000));
      const { sources } = JSON.parse(out) as Summary;
      assert.deepEqual(
        sources.map(({ source, state, changes }) => [source, state, changes]),
        [
          [names.postgres, 'caught-up', ROWS],
          [names.mysql, 'caught-up', 500],
          [names.mariadb, 'caught-up', 500],
        ],
      );
      for (const { source, position, duration_seconds } of sources) {
        assert.ok(duration_seconds > 0 && duration_seconds < 60);
        const shown = await tailrace(['checkpoint', 'show', source, '--json', '-c', daemon.configPath]);
        // Heartbeats may have moved it on, while the process stopped.
        assert.equal(typeof position, 'string');
        assert.equal(typeof JSON.parse(shown.out).position, 'string');
      }
    }
    for (const [source, topic] of Object.entries(topics)) {
      const per = source === names.postgres ? ROWS : 500;
      const expected = Array.from({ length: BATCHES }, (_, number) =>
        Array.from({ length: per }, (__, index) => number * ROWS + index + 1),
      ).flat();
      assert.deepEqual(await idsIn(topic), expected, `${source}: nothing is lost, and nothing repeated`);
    }
  } finally {
    for (const name of Object.values(names)) await deleteKafkaTopics(name);
  }
});

async function withSlotLost(database: PostgresDatabase, name: string, config: string): Promise<void> {
  assert.equal((await batch(config, '--source', name)).code, 0);
  await database.query('SELECT pg_drop_replication_slot($1)', [name]);
}

test('what stands in the way of a run is its exit code, and the other sources are finished', {
  timeout: 180_000,
}, async () => {
  const names = { good: uniqueName('batch'), lost: uniqueName('batch'), role: uniqueName('batch') };
  await using database = await createPostgresDatabase({ prefix: 'batch', sql: TABLE });
  const url = new URL(database.url);
  url.username = 'tailrace_nobody';
  url.password = 'wrong-secret';
  await using daemon = await Daemon.create({
    sources: [
      testSource(names.good, database),
      testSource(names.lost, database),
      testSource(names.role, { url: url.href }),
    ],
  });
  try {
    await withSlotLost(database, names.lost, daemon.configPath);
    const failed = await batch(daemon.configPath, '--source', names.good, names.role);
    assert.equal(failed.code, 1);
    const all = await batch(daemon.configPath);
    assert.equal(all.code, 4);
    const { sources } = JSON.parse(all.out) as Summary;
    assert.deepEqual(
      sources.map(({ source, state, error }) => [source, state, error?.code ?? null]),
      [
        [names.good, 'caught-up', null],
        [names.lost, 'resync-required', 'POSTGRES_SLOT_MISSING'],
        [names.role, 'failed', 'POSTGRES_AUTHENTICATION'],
      ],
    );
    assert.ok(sources.every(({ error }) => error === null || error.remedy.length > 10));
    assert.ok(!all.out.includes('wrong-secret') && !all.err.includes('wrong-secret'));
  } finally {
    for (const name of Object.values(names)) await deleteKafkaTopics(name);
  }
});

test('an interrupt ends a run that cannot end by itself', { timeout: 60_000 }, async () => {
  const name = uniqueName('batch');
  await using daemon = await Daemon.create({
    // Port 9 is the discard service, which nobody runs.
    sources: [testSource(name, { url: 'postgres://postgres@127.0.0.1:9/none' })],
  });
  await using run = new CommandProcess(['run', '--until-caught-up', '--json', '-c', daemon.configPath]);
  await run.said('backing-off');
  run.signal('SIGTERM');
  assert.equal(await run.ended(), 0);
  assert.equal((JSON.parse(run.stdout) as Summary).sources[0]?.state, 'stopped');
});
