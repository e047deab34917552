import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Daemon } from '../support/daemon-process.ts';
import { askRegistry, deleteSubject, protectSubject, subjectVersions } from '../support/registry.ts';
import { registryUrl } from '../support/services.ts';
import { awaitState, type DecodedRecord, type TailedDatabase, tailedDatabase } from '../support/tailed-database.ts';

const TABLE = 'CREATE TABLE t (id int PRIMARY KEY, amount int); CREATE TABLE free (id int PRIMARY KEY)';

it('on_incompatible: fail stops before the first change of a schema that the subject does not allow', async () => {
  await using tailed = await tailedDatabase(TABLE);
  await using daemon = await Daemon.create({ sources: [tailed.source()] });
  await daemon.start().streaming();
  const subject = await changeIncompatibly(tailed);
  const { last_error } = await awaitState(daemon, tailed.prefix, 'failed');
  assert.equal(last_error?.code, 'SCHEMA_INCOMPATIBLE');
  assert.ok(last_error?.message.includes(subject), last_error?.message);
  assert.match(last_error?.message ?? '', /amount/, 'the message names the field');
  assert.match(last_error?.remedy ?? '', /compatible .*on_incompatible/);
  assert.deepEqual(idsOf(await tailed.records('public.t', 2)), [1, 2], 'everything before is published');
  assert.equal(await daemon.stop(), 0);
  assert.equal((await subjectVersions(subject)).length, 1);

  await protectSubject(subject, 'NONE');
  await daemon.start().streaming();
  const records = await tailed.records('public.t', 3);
  assert.deepEqual(idsOf(records), [1, 2, 3]);
  assert.equal(records[2]?.decodedValue.after.amount, 'three');
  assert.equal((await subjectVersions(subject)).length, 2);
});

it('on_incompatible: dead_letter keeps the changes of that schema as JSON and lets the others flow', async () => {
  await using tailed = await tailedDatabase(TABLE);
  await using daemon = await Daemon.create({
    sources: [tailed.source()],
    config: { schema_registry: { url: registryUrl(), on_incompatible: 'dead_letter' } },
  });
  await daemon.start().streaming();
  const subject = await changeIncompatibly(tailed);
  await tailed.query('INSERT INTO free VALUES (1)');
  await tailed.records('public.free', 1);
  const letters = (await tailed.records('dead-letter', 1)).map(({ value }) => JSON.parse(String(value)));
  assert.deepEqual(
    letters.map(({ table, op, reason }) => [table, op, reason.code]),
    [['public.t', 'c', 'SCHEMA_INCOMPATIBLE']],
  );
  assert.equal(Buffer.from(letters[0].after.amount.base64, 'base64').toString(), 'three');
  assert.deepEqual(idsOf(await tailed.records('public.t', 2)), [1, 2]);
  assert.equal((await subjectVersions(subject)).length, 1);
  assert.equal((await daemon.status(tailed.prefix)).state, 'streaming');
  assert.equal(await daemon.stop(), 0);
});

it('on_incompatible: register_anyway registers, and leaves the subject as protected as it was', async () => {
  await using tailed = await tailedDatabase(TABLE);
  await using daemon = await Daemon.create({
    sources: [tailed.source()],
    config: { schema_registry: { url: registryUrl(), on_incompatible: 'register_anyway' } },
  });
  await daemon.start().streaming();
  const subject = await changeIncompatibly(tailed);
  const records = await tailed.records('public.t', 3);
  assert.equal(records[2]?.decodedValue.after.amount, 'three');
  assert.equal((await subjectVersions(subject)).length, 2);
  const { body } = await askRegistry('GET', `/config/${encodeURIComponent(subject)}`);
  assert.equal((body as { compatibilityLevel: string }).compatibilityLevel, 'BACKWARD');
  assert.equal(await daemon.stop(), 0);
});

it('a compatible change registers one version; a second run over the same subjects registers none', async () => {
  await using tailed = await tailedDatabase(TABLE);
  await using daemon = await Daemon.create({ sources: [tailed.source()] });
  await daemon.start().streaming();
  await tailed.query('INSERT INTO t VALUES (1, 1)');
  await tailed.records('public.t', 1);
  const [key, value] = ['key', 'value'].map((part) => `${tailed.topic('public.t')}-${part}`) as [string, string];
  await protectSubject(value, 'FULL_TRANSITIVE');
  await tailed.query("ALTER TABLE t ADD COLUMN note text DEFAULT 'none'");
  await tailed.query('INSERT INTO t VALUES (2, 2)');
  await tailed.records('public.t', 2);
  assert.deepEqual([(await subjectVersions(key)).length, (await subjectVersions(value)).length], [1, 2]);
  assert.equal(await daemon.stop(), 0);

  // Another daemon that remembers nothing meets subjects that hold everything already.
  await using other = await Daemon.create({
    sources: [tailed.source({ slot: { name: `${tailed.prefix}_2`, publication: `${tailed.prefix}_2` } })],
  });
  await other.start().streaming();
  await tailed.query('INSERT INTO t VALUES (3, 3)');
  assert.deepEqual(idsOf(await tailed.records('public.t', 3)), [1, 2, 3]);
  assert.deepEqual([(await subjectVersions(key)).length, (await subjectVersions(value)).length], [1, 2]);
  assert.doesNotMatch(other.output, /schema registered/);
});

it('subjects are named by the strategy', async () => {
  await using tailed = await tailedDatabase(TABLE);
  const expected = (topic: string) => ({
    record_name: [`${topic}.Key`, `${topic}.Envelope`],
    topic_record_name: [`${topic}-${topic}.Key`, `${topic}-${topic}.Envelope`],
  });
  for (const naming of ['record_name', 'topic_record_name'] as const) {
    const prefix = `${tailed.prefix}_${naming}`;
    await using daemon = await Daemon.create({
      sources: [tailed.source({}, prefix)],
      config: { schema_registry: { url: registryUrl(), subject_naming: naming } },
    });
    await daemon.start().streaming();
    await tailed.query(`INSERT INTO t VALUES (${naming.length}, 1)`);
    await tailed.records('public.t', 1, prefix);
    for (const subject of expected(`${prefix}.public.t`)[naming]) {
      assert.equal((await subjectVersions(subject)).length, 1, subject);
      await deleteSubject(subject);
    }
    for (const part of ['key', 'value']) {
      assert.deepEqual(await subjectVersions(`${prefix}.public.t-${part}`), [], 'not named by the topic alone');
    }
  }
});

/** Publishes two rows, protects the subject, and makes text of an int: the third row is under a schema that may not follow. */
async function changeIncompatibly(tailed: TailedDatabase): Promise<string> {
  const subject = `${tailed.topic('public.t')}-value`;
  await tailed.query('INSERT INTO t VALUES (1, 1)');
  await tailed.records('public.t', 1);
  await protectSubject(subject, 'BACKWARD');
  await tailed.query('INSERT INTO t VALUES (2, 2)');
  await tailed.query('ALTER TABLE t ALTER amount TYPE text');
  await tailed.query("INSERT INTO t VALUES (3, 'three')");
  return subject;
}

function idsOf(records: readonly DecodedRecord[]): number[] {
  return records.map(({ decodedKey }) => decodedKey.id);
}
