import assert from 'node:assert/strict';
import { it } from 'node:test';
import { awaitUntil } from '../support/await-until.ts';
import { Daemon } from '../support/daemon-process.ts';
import { parseExposition } from '../support/exposition.ts';
import { createKafkaTopics, setTopicConfig } from '../support/kafka-topics.ts';
import { kafkaBrokers } from '../support/services.ts';
import { awaitState, type DecodedRecord, tailedDatabase } from '../support/tailed-database.ts';

const LARGE = 20_000;

it('on_poison: fail stops before a change that is too large, and goes on once the topic takes it', async () => {
  await using tailed = await tailedDatabase('CREATE TABLE doc (id int PRIMARY KEY, v text)');
  await createKafkaTopics([{ topic: tailed.topic('public.doc'), config: { 'max.message.bytes': '10000' } }]);
  await using daemon = await Daemon.create({ sources: [tailed.source()] });
  await daemon.start().streaming();
  await tailed.query("INSERT INTO doc VALUES (1, 'a')");
  await tailed.query(`BEGIN; INSERT INTO doc VALUES (2, 'b'); INSERT INTO doc VALUES (3, repeat('x', ${LARGE}));
    INSERT INTO doc VALUES (4, 'd'); COMMIT`);
  await tailed.query("INSERT INTO doc VALUES (5, 'e')");

  const { last_error } = await awaitState(daemon, tailed.prefix, 'failed');
  assert.equal(last_error?.code, 'RECORD_TOO_LARGE');
  assert.match(last_error?.message ?? '', /public\.doc/);
  assert.match(last_error?.message ?? '', /larger than topic e2e_\w+\.public\.doc takes/);
  assert.match(last_error?.remedy ?? '', /max\.message\.bytes .*exclude or truncate.*on_poison: dead_letter/);
  const ready = await daemon.get('/readyz');
  assert.equal(ready.status, 503);
  assert.match(await ready.text(), /RECORD_TOO_LARGE/);
  assert.deepEqual(ids(await tailed.records('public.doc', 2)), [1, 2], 'everything before the change is published');

  assert.equal(await daemon.stop(), 0);
  await setTopicConfig(tailed.topic('public.doc'), { 'max.message.bytes': '1048588' });
  await daemon.start().streaming();
  // The transaction that was cut short is repeated whole.
  assert.deepEqual(ids(await tailed.records('public.doc', 6)), [1, 2, 2, 3, 4, 5]);
  assert.equal(await daemon.stop(), 0);
});

it('on_poison: dead_letter keeps the change as JSON, counts it and goes on', async () => {
  await using tailed = await tailedDatabase(`
    CREATE TABLE doc (id int PRIMARY KEY, v text, secret text, plain text);
    ALTER TABLE doc REPLICA IDENTITY FULL`);
  await using daemon = await Daemon.create({
    sources: [
      tailed.source({
        on_poison: 'dead_letter',
        columns: {
          exclude: ['public\\.doc\\.plain'],
          mask: [{ match: 'public\\.doc\\.secret', with: '****' }],
        },
      }),
    ],
    config: {
      kafka: {
        brokers: kafkaBrokers(),
        topics: [{ match: '.*\\.(doc|message)', config: { 'max.message.bytes': '10000' } }, { match: '.*' }],
      },
    },
  });
  await daemon.start().streaming();
  await tailed.query("INSERT INTO doc VALUES (1, 'a', 'hidden-plaintext', 'left-out-plaintext')");
  await tailed.query(`UPDATE doc SET v = repeat('x', ${LARGE}) WHERE id = 1`);
  await tailed.query('DELETE FROM doc WHERE id = 1');
  await tailed.query(`SELECT pg_logical_emit_message(true, 'note', repeat('m', ${LARGE}))`);
  await tailed.query("INSERT INTO doc VALUES (2, 'b')");

  // The delete carries the large old row, so it is a second letter, and there is no tombstone without it.
  assert.deepEqual(ids(await tailed.records('public.doc', 2)), [1, 2]);
  const letters = (await tailed.records('dead-letter', 3)).map(({ value }) => JSON.parse(String(value)));
  assert.equal(letters.length, 3);
  const [update, remove, message] = letters;
  assert.equal(update.source, tailed.prefix);
  assert.equal(update.table, 'public.doc');
  assert.equal(update.op, 'u');
  assert.equal(update.reason.code, 'RECORD_TOO_LARGE');
  assert.match(update.transaction, /^\d+:\d+$/);
  assert.equal(fromBase64(update.after.v), 'x'.repeat(LARGE));
  assert.equal(fromBase64(update.after.id), '1');
  assert.equal(fromBase64(update.before.v), 'a');
  assert.equal(remove.op, 'd');
  assert.equal(remove.after, null);
  assert.equal(message.op, 'm');
  assert.equal(message.reason.code, 'RECORD_TOO_LARGE');
  assert.match(message.reason.message, /\.message/);

  const metrics = parseExposition(await (await daemon.get('/metrics')).text());
  const counted = (table: string) =>
    metrics.value('tailrace_dead_letters_total', { source: tailed.prefix, table, reason: 'RECORD_TOO_LARGE' });
  assert.equal(counted('public.doc'), 2);
  assert.equal(counted('message'), 1);
  await awaitUntil('the source still streams', async () => (await daemon.status(tailed.prefix)).state === 'streaming');
  assert.equal(await daemon.stop(), 0);

  const everything = [...(await tailed.records('dead-letter', 3)), ...(await tailed.records('public.doc', 2))];
  for (const text of ['hidden-plaintext', 'left-out-plaintext']) {
    for (const record of everything) {
      const encodings = [text, Buffer.from(text).toString('base64')];
      for (const encoding of encodings) assert.ok(!record.value?.includes(encoding), `${encoding} in ${record.topic}`);
    }
    assert.ok(!daemon.output.includes(text));
  }
});

function ids(records: readonly DecodedRecord[]): number[] {
  return records.map(({ decodedKey }) => decodedKey.id);
}

function fromBase64(value: { readonly base64: string }): string {
  return Buffer.from(value.base64, 'base64').toString('utf8');
}
