import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RunSummary } from '../../src/cli/application.ts';
import { CommandProcess, runCommand as tailrace } from '../support/command-process.ts';
import { Daemon } from '../support/daemon-process.ts';
import { deleteKafkaTopics } from '../support/kafka-topics.ts';
import { createPostgresDatabase, type PostgresDatabase } from '../support/postgres-database.ts';
import { testSource } from '../support/test-source.ts';
import { uniqueName } from '../support/unique-name.ts';

const TABLE = 'CREATE TABLE t (id int PRIMARY KEY)';

interface Summary {
  readonly sources: readonly RunSummary[];
}

function batch(config: string, ...more: string[]) {
  return tailrace(['run', '--until-caught-up', '--json', '-c', config, ...more]);
}

async function withSlotLost(database: PostgresDatabase, name: string, config: string): Promise<void> {
  assert.equal((await batch(config, '--source', name)).code, 0);
  await database.query('SELECT pg_drop_replication_slot($1)', [name]);
}

test('what stands in the way of a run is its exit code, and the other sources are finished', {
  timeout: 480_000,
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

test('an interrupt ends a run that cannot end by itself', { timeout: 240_000 }, async () => {
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
