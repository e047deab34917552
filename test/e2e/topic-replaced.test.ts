import assert from 'node:assert/strict';
import { it } from 'node:test';
import { awaitUntil } from '../support/await-until.ts';
import { Daemon } from '../support/daemon-process.ts';
import { parseExposition } from '../support/exposition.ts';
import { createKafkaTopics, deleteTopicsNamed } from '../support/kafka-topics.ts';
import { kafkaBrokers } from '../support/services.ts';
import { awaitState, type TailedDatabase, tailedDatabase } from '../support/tailed-database.ts';
import { listTopics } from '../support/topic-reader.ts';

const TABLE = 'CREATE TABLE t (id int PRIMARY KEY)';
/** Long before the cluster is asked again by itself who leads what. */
const SOON_MS = 20_000;

it('a topic that is deleted and made again while its source runs needs a resync, from the next record on', async () => {
  await using tailed = await tailedDatabase(TABLE);
  await using daemon = await Daemon.create({ sources: [tailed.source()] });
  const source = tailed.prefix;
  await daemon.start().streaming();
  await tailed.query('INSERT INTO t SELECT generate_series(1, 10)');
  await tailed.records('public.t', 10);
  await deleteTopic(tailed);
  await createKafkaTopics([{ topic: tailed.topic('public.t') }]);
  await tailed.query('INSERT INTO t VALUES (11)');
  const { last_error, position } = await awaitState(daemon, source, 'resync-required', SOON_MS);
  assert.match(last_error?.code ?? '', /^KAFKA_(RECORDS_LOST|TOPIC_RECREATED)$/);
  assert.match(last_error?.message ?? '', /topic e2e_\w+\.public\.t\b/);
  assert.match(last_error?.remedy ?? '', new RegExp(`tailrace resync ${source}`));
  assert.match(await (await daemon.get('/readyz')).text(), /KAFKA_/);
  const metrics = parseExposition(await (await daemon.get('/metrics')).text());
  assert.equal(metrics.value('tailrace_source_state', { source, state: 'resync-required' }), 1);
  assert.equal(metrics.value('tailrace_errors_total', { source, class: 'resync-required' }), 1);

  // What was written to the new topic is not taken for published, and a restart does not forget the loss.
  assert.equal(await daemon.stop(), 0);
  daemon.start();
  const again = await awaitState(daemon, source, 'resync-required', SOON_MS);
  assert.equal(again.last_error?.code, 'KAFKA_TOPIC_RECREATED');
  assert.equal(again.position ?? position, position);

  await resync(daemon, source);
  await tailed.query('INSERT INTO t VALUES (12)');
  await awaitUntil('it is published again', async () => {
    const ids = (await tailed.records('public.t', 1)).map(({ decodedKey }) => decodedKey.id);
    return ids.at(-1) === 12;
  });
  assert.equal(await daemon.stop(), 0);
});

it('a topic that is deleted while its source runs needs a resync once Kafka has been asked for long enough', async () => {
  await using tailed = await tailedDatabase(TABLE);
  await using daemon = await Daemon.create({
    sources: [tailed.source()],
    config: { kafka: { brokers: kafkaBrokers(), delivery_timeout: '3s', request_timeout: '2s' } },
  });
  await daemon.start().streaming();
  await tailed.query('INSERT INTO t SELECT generate_series(1, 10)');
  await tailed.records('public.t', 10);
  await deleteTopic(tailed);
  await tailed.query('INSERT INTO t VALUES (11)');
  const { last_error } = await awaitState(daemon, tailed.prefix, 'resync-required');
  assert.equal(last_error?.code, 'KAFKA_TOPIC_MISSING');
  assert.match(daemon.output, /UNKNOWN_TOPIC_OR_PARTITION.*KAFKA_DELIVERY_TIMEOUT/);
  assert.deepEqual(await listTopics(tailed.topic('public')), [], 'nobody made it again');
  assert.equal(await daemon.stop(), 0);
});

async function deleteTopic(tailed: TailedDatabase): Promise<void> {
  const topic = tailed.topic('public.t');
  await deleteTopicsNamed([topic]);
  await awaitUntil(`${topic} is gone`, async () => !(await listTopics(topic)).includes(topic), { timeoutMs: 90_000 });
}

async function resync(daemon: Daemon, source: string): Promise<void> {
  const response = await fetch(`${await daemon.url()}/api/v1/sources/${source}/resync`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ confirm: source }),
    signal: AbortSignal.timeout(30_000),
  });
  assert.equal(response.status, 202, await response.text());
  await awaitState(daemon, source, 'streaming');
}
