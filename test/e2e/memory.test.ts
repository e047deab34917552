import assert from 'node:assert/strict';
import { test } from 'node:test';
import { awaitUntil } from '../support/await-until.ts';
import { Daemon } from '../support/daemon-process.ts';
import { deleteKafkaTopics } from '../support/kafka-topics.ts';
import { createPostgresDatabase } from '../support/postgres-database.ts';
import { uniqueName } from '../support/unique-name.ts';

const ROWS = 50_000;
const MEBIBYTE = 1024 * 1024;

test('the young generation is small when started as a command, also after a backlog', async () => {
  const name = uniqueName('memory');
  await using database = await createPostgresDatabase({
    prefix: 'memory',
    sql: 'CREATE TABLE public.rows (id int PRIMARY KEY, note text, weight float8)',
  });
  await using daemon = await Daemon.create({
    sources: [
      {
        name,
        type: 'postgres',
        url: database.url,
        tables: { include: ['public\\..*'] },
        snapshot: { mode: 'no_data' },
        slot: { name, publication: name },
      },
    ],
  });
  try {
    await daemon.start().streaming();
    await database.query('INSERT INTO public.rows SELECT n, md5(n::text), n / 3.0 FROM generate_series(1, $1::int) n', [
      ROWS,
    ]);
    await awaitUntil('the rows are published', async () => (await daemon.status(name)).changes_total >= ROWS);
    const metrics = await (await daemon.get('/metrics')).text();
    const [, bytes] = /^nodejs_heap_space_size_total_bytes\{space="new"\} (\d+)/m.exec(metrics) ?? [];
    assert.ok(bytes !== undefined, 'the metric exists');
    assert.ok(Number(bytes) <= 4 * MEBIBYTE, `${Number(bytes) / MEBIBYTE} MiB`);
    await daemon.stop();
  } finally {
    await deleteKafkaTopics(name);
  }
});
