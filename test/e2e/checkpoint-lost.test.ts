import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { it } from 'node:test';
import { promisify } from 'node:util';
import { Kafka, logLevel } from 'kafkajs';
import { runCommand as tailrace } from '../support/command-process.ts';
import { Daemon } from '../support/daemon-process.ts';
import { parseExposition } from '../support/exposition.ts';
import { createKafkaTopics, deleteTopicsNamed, setTopicConfig } from '../support/kafka-topics.ts';
import { kafkaBrokers } from '../support/services.ts';
import { awaitState, caughtUp, type TailedDatabase, tailedDatabase } from '../support/tailed-database.ts';
import { deleteRecordsBefore } from '../support/topic-damage.ts';

const TABLE = 'CREATE TABLE t (id int PRIMARY KEY)';

it('a full disk under the checkpoint file: the source says so, and goes on by itself when there is room', async () => {
  await using tailed = await tailedDatabase(TABLE);
  const source = tailed.prefix;
  await using daemon = await Daemon.create({ sources: [tailed.source()] });
  await daemon.start().streaming();
  await insert(tailed, 1, 10);
  await caughtUp(daemon, tailed, source);
  // The kernel's limit on the size of a file, which can be set for a process that runs, stands for the full disk.
  await limitFileSize(daemon.pid, 1);
  await insert(tailed, 11, 20);
  const full = await daemon.until('the disk is full', async () => {
    const status = await daemon.status(source);
    return status.last_error?.code === 'STATE_DISK_FULL' ? status : null;
  });
  assert.match(full.last_error?.message ?? '', /state.*failed: no room \((EFBIG|ENOSPC)\); the state before is intact/);
  assert.match(full.last_error?.remedy ?? '', /Make room/);
  assert.equal((await daemon.get('/livez')).status, 200);
  const metrics = parseExposition(await (await daemon.get('/metrics')).text());
  assert.ok((metrics.value('tailrace_errors_total', { source, class: 'transient' }) ?? 0) > 0);
  await limitFileSize(daemon.pid, 'unlimited');
  await insert(tailed, 21, 30);
  await daemon.streaming(60_000);
  await caughtUp(daemon, tailed, source);
  const ids = new Set(await idsOf(tailed, 30));
  assert.deepEqual([...ids], numbers(1, 30), 'repeated perhaps, lost never');
  assert.equal(await daemon.stop(), 0);
});

it('a damaged checkpoint file: nothing is sent before it is mended, by an import or by a resync', async () => {
  await using tailed = await tailedDatabase(TABLE);
  const source = tailed.prefix;
  await using daemon = await Daemon.create({ sources: [tailed.source()] });
  const file = join(daemon.directory, 'state', `${source}.json`);
  const exported = join(daemon.directory, 'exported.json');
  await daemon.start().streaming();
  await insert(tailed, 1, 10);
  await caughtUp(daemon, tailed, source);
  assert.equal(await daemon.stop(), 0);
  assert.equal((await tailrace(['checkpoint', 'export', source, exported, '-c', daemon.configPath])).code, 0);
  const damage = async () => {
    const text = await readFile(file, 'utf8');
    const at = text.indexOf('"position"') + 15;
    await writeFile(file, `${text.slice(0, at)}${text[at] === '1' ? '2' : '1'}${text.slice(at + 1)}`);
  };
  await damage();
  await insert(tailed, 11, 20);
  daemon.start();
  const { last_error } = await awaitState(daemon, source, 'failed');
  assert.equal(last_error?.code, 'STATE_DAMAGED');
  assert.ok(last_error?.message.includes(file), last_error?.message);
  assert.match(last_error?.remedy ?? '', /tailrace checkpoint import.*tailrace resync.*Do not delete it/);
  assert.equal((await idsOf(tailed, 10)).length, 10);
  const imported = await tailrace(['checkpoint', 'import', source, exported, '-c', daemon.configPath]);
  assert.equal(imported.code, 0, imported.err);
  const url = ['--url', await daemon.url()];
  assert.equal((await tailrace(['resume', source, ...url])).code, 0);
  assert.deepEqual(await idsOf(tailed, 20), numbers(1, 20));
  await caughtUp(daemon, tailed, source);
  assert.equal(await daemon.stop(), 0);

  await damage();
  daemon.start();
  await awaitState(daemon, source, 'failed');
  const again = ['--url', await daemon.url()];
  assert.equal((await tailrace(['resync', source, '--confirm', source, ...again])).code, 0);
  await awaitState(daemon, source, 'streaming');
  await insert(tailed, 21, 30);
  assert.deepEqual((await idsOf(tailed, 30)).slice(-10), numbers(21, 30));
  assert.equal(await daemon.stop(), 0);
});

it('a checkpoint file that is gone is not a first start', async () => {
  await using tailed = await tailedDatabase(TABLE);
  await using daemon = await Daemon.create({ sources: [tailed.source()] });
  await daemon.start().streaming();
  await insert(tailed, 1, 10);
  await caughtUp(daemon, tailed, tailed.prefix);
  assert.equal(await daemon.stop(), 0);
  await rm(join(daemon.directory, 'state'), { recursive: true });
  daemon.start();
  const { last_error } = await awaitState(daemon, tailed.prefix, 'resync-required');
  assert.equal(last_error?.code, 'POSTGRES_SLOT_WITHOUT_CHECKPOINT');
  assert.match(last_error?.remedy ?? '', /tailrace resync/);
  assert.equal(await daemon.stop(), 0);
});

it('a checkpoint topic whose older records were deleted: what is left of a state is not taken for all of it', async () => {
  await using tailed = await tailedDatabase(TABLE);
  const source = tailed.prefix;
  const topic = `${source}.checkpoints`;
  const checkpoint = { store: 'kafka', topic, interval: '200ms' };
  await using daemon = await Daemon.create({ sources: [tailed.source()], config: { checkpoint } });
  await daemon.start().streaming();
  await insert(tailed, 1, 10);
  await caughtUp(daemon, tailed, source);
  const cut = await endOf(topic);
  await insert(tailed, 11, 20);
  await caughtUp(daemon, tailed, source);
  assert.equal(await daemon.stop(), 0);
  // The newest checkpoint is there; how far the topics had come and the versions of the table are not.
  await setTopicConfig(topic, { 'cleanup.policy': 'delete' });
  await daemon.until('records can be deleted', () => deleteRecordsBefore(topic, 0, cut).then(() => true));
  await setTopicConfig(topic, { 'cleanup.policy': 'compact' });
  await insert(tailed, 21, 30);
  daemon.start();
  const { last_error } = await awaitState(daemon, source, 'resync-required');
  assert.equal(last_error?.code, 'CHECKPOINT_TOPIC_CUT');
  assert.ok(last_error?.message.includes(topic), last_error?.message);
  assert.match(last_error?.remedy ?? '', /tailrace checkpoint import.*tailrace resync/);
  assert.equal((await idsOf(tailed, 20)).length, 20, 'nothing is sent');
  const url = ['--url', await daemon.url()];
  assert.equal((await tailrace(['resync', source, '--confirm', source, ...url])).code, 0);
  await awaitState(daemon, source, 'streaming');
  await insert(tailed, 31, 40);
  await caughtUp(daemon, tailed, source);
  assert.equal(await daemon.stop(), 0);
  await daemon.start().streaming();
  assert.deepEqual((await idsOf(tailed, 30)).slice(-10), numbers(31, 40));
  assert.equal(await daemon.stop(), 0);
});

it('a checkpoint topic that is deleted, and perhaps made again, under a running source: a resync, never a first start', async () => {
  await using tailed = await tailedDatabase(TABLE);
  const source = tailed.prefix;
  const topic = `${source}.checkpoints`;
  const checkpoint = { store: 'kafka', topic, interval: '200ms' };
  await using daemon = await Daemon.create({ sources: [tailed.source()], config: { checkpoint } });
  await daemon.start().streaming();
  await insert(tailed, 1, 10);
  await caughtUp(daemon, tailed, source);
  await deleteTopicsNamed([topic]);
  await daemon.until('the name is free again', async () => {
    await createKafkaTopics([{ topic, config: { 'cleanup.policy': 'compact' } }]);
    return true;
  });
  await insert(tailed, 11, 20);
  const { last_error } = await awaitState(daemon, source, 'resync-required');
  assert.match(last_error?.code ?? '', /^CHECKPOINT_LOST$/);
  assert.match(daemon.output, /CHECKPOINT_TOPIC_REPLACED/);
  assert.equal(await daemon.stop(), 0);
});

function numbers(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}

async function insert(tailed: TailedDatabase, from: number, to: number): Promise<void> {
  await tailed.query('INSERT INTO t SELECT generate_series($1::int, $2::int)', [from, to]);
}

async function idsOf(tailed: TailedDatabase, count: number): Promise<number[]> {
  return (await tailed.records('public.t', count)).map(({ decodedKey }) => decodedKey.id);
}

async function limitFileSize(pid: number, bytes: number | 'unlimited'): Promise<void> {
  await promisify(execFile)('prlimit', ['--pid', String(pid), `--fsize=${bytes}:unlimited`]);
}

async function endOf(topic: string): Promise<number> {
  const admin = new Kafka({ clientId: 'tailrace-tests', brokers: kafkaBrokers(), logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  try {
    return Number((await admin.fetchTopicOffsets(topic))[0]!.high);
  } finally {
    await admin.disconnect();
  }
}
