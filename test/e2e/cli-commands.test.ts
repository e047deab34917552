import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { runProgram } from '../../src/cli/program.ts';
import { connectorRegistry } from '../../src/connector-registry.ts';
import { Daemon } from '../support/daemon-process.ts';
import { deleteKafkaTopics } from '../support/kafka-topics.ts';
import { createPostgresDatabase } from '../support/postgres-database.ts';
import { registryUrl } from '../support/services.ts';
import { awaitConfirmed } from '../support/slot-progress.ts';
import { awaitSnapshot } from '../support/tailed-database.ts';
import { testSource } from '../support/test-source.ts';
import { TextStream } from '../support/text-stream.ts';
import { uniqueName } from '../support/unique-name.ts';

const NOBODY = 'http://127.0.0.1:9';
const NOTHING = /^$/;

/** A command line, its exit code, and what it writes to standard output and standard error. */
type Case = readonly [args: readonly string[], code: number, out: RegExp, err?: RegExp];

/** As the process does it, without the half second that each process would take to start. */
async function tailrace(args: readonly string[]): Promise<{ code: number; out: string; err: string }> {
  const stdout = new TextStream();
  const stderr = new TextStream();
  const code = await runProgram(args, '1.2.3', {
    stdout: Object.assign(stdout, { isTTY: false }),
    stderr,
    clock: { sleep: () => assert.fail('nothing is waited for') },
    env: {},
    connectors: connectorRegistry,
    loadApplication: () => import('../../src/app.ts'),
    interruption: () => new AbortController().signal,
  });
  return { code, out: stdout.text, err: stderr.text };
}

async function hold(cases: readonly Case[]): Promise<void> {
  for (const [args, code, out, err = NOTHING] of cases) {
    const came = await tailrace(args);
    const line = `tailrace ${args.join(' ')}\n${came.out}${came.err}`;
    assert.equal(came.code, code, line);
    assert.match(came.out, out, line);
    assert.match(came.err, err, line);
    assert.doesNotMatch(came.err, /\n {4}at |unexpected error/, line);
  }
}

test('each command does its work, or says why not and what to write, with a daemon and without', {
  timeout: 480_000,
}, async () => {
  const name = uniqueName('commands');
  const sql = 'CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t SELECT generate_series(1, 100)';
  await using database = await createPostgresDatabase({ prefix: 'commands', sql });
  await using daemon = await Daemon.create({
    sources: [testSource(name, database, { snapshot: { mode: 'initial' } })],
  });
  try {
    await daemon.start();
    await awaitSnapshot(daemon, name);
    await awaitConfirmed(database, name);
    const address = await daemon.url();
    const url = ['--url', address];
    const c = ['-c', daemon.configPath];
    const noCheckpoint = join(daemon.directory, 'other.json');
    await writeFile(noCheckpoint, '{}');
    const isRunning = new RegExp(`source ${name} is running\nPause it with tailrace pause ${name}, or stop its daemon`);
    const unknownSource = /no source of this name\.\nThe sources are: /;
    const noSnapshot = /No snapshot of this source is under way\.\nStart one with `tailrace snapshot start`/;

    await hold([
      [['status', ...url], 0, new RegExp(`^SOURCE .*\n${name} +streaming .* completed `)],
      [['status', ...url, '--json'], 0, /"state": "streaming"/],
      [['status', ...c], 2, NOTHING, /http\.port: 0.*\nWrite --url http:\/\/127\.0\.0\.1:PORT/],
      [['status', '--url', registryUrl().replace(/(:\d+).*/, '$1')], 1, NOTHING, /is no tailrace daemon.*\n.*--url/],
      [['status', '--url', address.replace('http:', 'https:')], 1, NOTHING, /EPROTO.*\n.*write --url http:/],
      ...['pause', 'resume'].map((it): Case => [[it, 'nobody', ...url], 2, NOTHING, unknownSource]),
      [['resync', 'nobody', '--confirm', 'nobody', ...url], 2, NOTHING, unknownSource],
      [['resync', name, ...url], 2, NOTHING, new RegExp(`tailrace resync ${name} --confirm ${name}`)],
      [['resume', name, ...url], 1, NOTHING, /it runs already: it is streaming/],
      [['snapshot', 'status', name, ...url], 0, /^completed: 1 of 1 tables, 100 rows\npublic\.t /],
      ...['start', 'status', 'pause', 'resume', 'stop'].map((it): Case => {
        return [['snapshot', it, 'nobody', ...url], 2, NOTHING, unknownSource];
      }),
      ...['pause', 'resume', 'stop'].map((it): Case => [['snapshot', it, name, ...url], 1, NOTHING, noSnapshot]),
      [['snapshot', 'start', name, '--table', 'u', ...url], 2, NOTHING, /No captured table matches\.\nName captured/],
      [
        ['snapshot', 'start', name, '--where', 'nope > 5', ...url],
        2,
        NOTHING,
        /where: .*public\.t fails: .*nope.*\nCorr/,
      ],
      [
        ['snapshot', 'start', name, '--where', 'id >', ...url],
        2,
        NOTHING,
        /where: .*syntax error.*\nCorrect the filter/,
      ],
      [['snapshot', 'start', name, '--where', 'true); DROP TABLE t; SELECT (true', ...url], 2, NOTHING, /where: /],
      [
        ['snapshot', 'start', name, '--table', 't', '--where', 'id > 90', ...url],
        0,
        /^(waiting|running).*\npublic\.t /,
      ],

      [['check', ...c], 0, /^ok +commands_.* +connection/],
      [['verify', name, ...c], 0, /^equal +public\.t +100 rows$/m],
      [
        ['verify', name, '--table', 'u', ...c],
        2,
        NOTHING,
        /no captured table matches --table u\nCaptured tables: public\.t/,
      ],
      [['checkpoint', 'show', name, ...c], 0, /^position +\w+\/\w+/m],
      [['checkpoint', 'set', name, '0/1', ...c], 1, NOTHING, isRunning],
      [['checkpoint', 'set', name, 'yesterday', ...c], 2, NOTHING, /is not a position of a Postgres source\.\n.* show/],
      [['checkpoint', 'export', name, ...c], 1, NOTHING, isRunning],
      [['checkpoint', 'import', name, noCheckpoint, ...c], 2, NOTHING, /other\.json is damaged.*\nName a file/],
      [['teardown', name, '--confirm', name, ...c], 1, NOTHING, isRunning],
      [['tail', `${name}.public.nope`, ...c], 2, NOTHING, /does not exist\n.*<topic_prefix>\.<schema>\.<table>/],
      [['tail', 'no topic', ...c], 2, NOTHING, /INVALID_TOPIC/],
      [['tail', `${database.url}_nope`], 2, NOTHING, /does not exist.*\nCorrect the database name/],
      [['tail', database.url, '--table', 'u'], 2, NOTHING, /No table of .* matches --table\.\nWrite --table/],
      [['tail', 'postgres://postgres@127.0.0.1:9/shop'], 1, NOTHING, /ECONNREFUSED/],
      [['tail', 'mysql://cdc@127.0.0.1:9'], 1, NOTHING, /ECONNREFUSED/],

      [['pause', name, ...url], 0, NOTHING, new RegExp(`^${name} is paused\\.\n$`)],
      [['snapshot', 'start', name, ...url], 1, NOTHING, /it is paused\.\nWait until the source streams/],
      [['checkpoint', 'export', name, ...c], 0, /^{\n {2}"format": "tailrace-state"/],
      [['resume', name, ...url], 0, NOTHING, new RegExp(`^${name} is \\w+\\.\n$`)],
    ]);
    assert.equal((await database.query('SELECT 1 FROM t')).length, 100, 'no filter was carried out as a statement');
    assert.equal(await daemon.stop(), 0, daemon.output.slice(-2_000));

    // The log goes on without the daemon.
    await database.query('CREATE SCHEMA elsewhere CREATE TABLE v (id int)');
    const noDaemon = new RegExp(
      `^error: no daemon answers at ${NOBODY} \\(ECONNREFUSED\\)\nStart it with tailrace run`,
    );
    await hold([
      ...[
        ['status'],
        ['status', '--watch', '--json'],
        ['pause', name],
        ['resume', name],
        ['resync', name, '--confirm', name],
        ...['start', 'status', 'pause', 'resume', 'stop'].map((operation) => ['snapshot', operation, name]),
      ].map((args): Case => [[...args, '--url', NOBODY], 1, NOTHING, noDaemon]),
      [['check', ...c], 0, /^ok +commands_.* +connection/],
      [['verify', name, ...c], 0, /^equal +public\.t +100 rows$/m, /No checkpoint of the source moves/],
      [['checkpoint', 'show', name, ...c, '--json'], 0, /"phase": "streaming"/],
      [['checkpoint', 'set', name, '0/1', ...c], 4, NOTHING, /cannot go on from 0\/1: [\s\S]*Nothing was changed/],
      [['checkpoint', 'export', name, noCheckpoint, ...c, '--json'], 0, /"file": ".*other\.json"/],
      [['checkpoint', 'import', name, noCheckpoint, ...c], 0, NOTHING, /goes on where .*other\.json says\.\n$/],
      [['teardown', name, '--confirm', name, ...c], 0, NOTHING, /slot and publication are dropped/],
      [['checkpoint', 'show', name, ...c], 0, /^position +\w+\/\w+/m],
    ]);
  } finally {
    await deleteKafkaTopics(name);
  }
});
