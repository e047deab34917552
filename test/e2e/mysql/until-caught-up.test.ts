import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RunSummary } from '../../../src/cli/application.ts';
import { runCommand as tailrace } from '../../support/command-process.ts';
import { Daemon } from '../../support/daemon-process.ts';
import { deleteKafkaTopics } from '../../support/kafka-topics.ts';
import { createMysqlDatabase, type MysqlDatabase, mysqlSource } from '../../support/mysql-database.ts';
import { createPostgresDatabase } from '../../support/postgres-database.ts';
import { readEnvelopes } from '../../support/read-rows.ts';
import { testedServers } from '../../support/server-features.ts';
import { testSource } from '../../support/test-source.ts';
import { uniqueName } from '../../support/unique-name.ts';

const TABLE = 'CREATE TABLE t (id int PRIMARY KEY)';
const BATCHES = 4;
const ROWS = 20_000;

interface Summary {
  readonly sources: readonly RunSummary[];
}

function batch(config: string) {
  return tailrace(['run', '--until-caught-up', '--json', '-c', config]);
}

async function idsIn(topic: string): Promise<number[]> {
  return (await readEnvelopes(topic)).map(({ after }) => Number(after?.id));
}

test('each run publishes and checkpoints everything that was committed before it, and ends', {
  timeout: 600_000,
}, async () => {
  const ofPostgres = uniqueName('batch');
  await using postgres = await createPostgresDatabase({ prefix: 'batch', sql: TABLE });
  await using databases = new AsyncDisposableStack();
  const others: { readonly name: string; readonly database: MysqlDatabase }[] = [];
  for (const { server } of await testedServers()) {
    const database = databases.use(await createMysqlDatabase(server, [TABLE]));
    others.push({ name: uniqueName('batch'), database });
  }
  await using daemon = await Daemon.create({
    sources: [testSource(ofPostgres, postgres), ...others.map(({ name, database }) => mysqlSource(name, database))],
  });
  const topics = new Map([
    [ofPostgres, `${ofPostgres}.public.t`],
    ...others.map(({ name, database }) => [name, `${name}.${database.name}.t`] as const),
  ]);
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
      for (const { database } of others) {
        const values = Array.from({ length: 500 }, (_, index) => `(${from + index})`);
        await database.query(`INSERT INTO t VALUES ${values.join()}`);
      }
      const { code, out, err } = await batch(daemon.configPath);
      assert.equal(code, 0, err.slice(-2_000));
      const { sources } = JSON.parse(out) as Summary;
      assert.deepEqual(
        sources.map(({ source, state, changes }) => [source, state, changes]),
        [[ofPostgres, 'caught-up', ROWS], ...others.map(({ name }) => [name, 'caught-up', 500])],
      );
      for (const { source, position, duration_seconds } of sources) {
        assert.ok(duration_seconds > 0 && duration_seconds < 60);
        const shown = await tailrace(['checkpoint', 'show', source, '--json', '-c', daemon.configPath]);
        // Heartbeats may have moved it on, while the process stopped.
        assert.equal(typeof position, 'string');
        assert.equal(typeof JSON.parse(shown.out).position, 'string');
      }
    }
    for (const [source, topic] of topics) {
      const per = source === ofPostgres ? ROWS : 500;
      const expected = Array.from({ length: BATCHES }, (_, number) =>
        Array.from({ length: per }, (__, index) => number * ROWS + index + 1),
      ).flat();
      assert.deepEqual(await idsIn(topic), expected, `${source}: nothing is lost, and nothing repeated`);
    }
  } finally {
    for (const name of topics.keys()) await deleteKafkaTopics(name);
  }
});
