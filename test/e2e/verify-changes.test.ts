import assert from 'node:assert/strict';
import { it } from 'node:test';
import { CommandProcess } from '../support/command-process.ts';
import { Daemon } from '../support/daemon-process.ts';
import { caughtUp, tailedDatabase } from '../support/tailed-database.ts';
import { appendRecords, deleteRecordsBefore, rewriteTopic } from '../support/topic-damage.ts';
import { readTopics } from '../support/topic-reader.ts';
import { tableOf, verify } from '../support/verify-command.ts';

it('rows that change while they are compared are no differences', async () => {
  await using tailed = await tailedDatabase(`
    CREATE TABLE busy (id int PRIMARY KEY, n int NOT NULL, note text);
    CREATE TABLE heap (id int, n int);
    ALTER TABLE heap REPLICA IDENTITY FULL`);
  await using daemon = await Daemon.create({ sources: [tailed.source()] });
  await daemon.start().streaming();
  await tailed.query('INSERT INTO busy SELECT i, 0 FROM generate_series(1, 20000) AS i');
  await tailed.query('INSERT INTO heap SELECT i % 50, 0 FROM generate_series(1, 500) AS i');
  await caughtUp(daemon, tailed, tailed.prefix);

  const verifying = verify(daemon.configPath, tailed.prefix);
  let isOver = false;
  void verifying.finally(() => {
    isOver = true;
  });
  let changes = 0;
  for (let i = 1; !isOver; i++) {
    const id = (i * 7919) % 20_000;
    await tailed.query(`
      UPDATE busy SET n = n + 1 WHERE id IN (${id}, 1, 20000);
      DELETE FROM busy WHERE id = ${id + 1};
      INSERT INTO busy VALUES (${20_000 + i}, 0), (${id + 1}, 7) ON CONFLICT DO NOTHING;
      UPDATE busy SET id = id - 1000000 WHERE id = ${id + 2};
      UPDATE heap SET n = n + 1 WHERE id = ${i % 50}`);
    changes += 1;
  }
  const verdict = await verifying;
  assert.ok(changes > 50, `only ${changes} transactions were written beside it`);
  assert.equal(verdict.code, 0, JSON.stringify(verdict.report?.tables, null, 1) + verdict.stderr);
  assert.ok(tableOf(verdict, 'public.busy').rows >= 19_000);
  assert.equal(tableOf(verdict, 'public.busy').ignored_in_flight, 0);

  // The same with damage to rows that rest among those that change.
  await tailed.query("INSERT INTO busy VALUES (-1, 1, 'rests'), (-2, 1, 'rests too'), (-3, 1, 'too')");
  await caughtUp(daemon, tailed, tailed.prefix);
  const quiet = (await readTopics([tailed.topic('public.busy')])).slice(-3);
  await appendRecords(tailed.topic('public.busy'), [
    { ...quiet[0]!, value: null },
    { ...quiet[1]!, value: quiet[2]!.value },
  ]);
  const finding = verify(daemon.configPath, tailed.prefix);
  let isFound = false;
  void finding.finally(() => {
    isFound = true;
  });
  for (let i = 1; !isFound; i++) {
    await tailed.query(`UPDATE busy SET n = n + 1 WHERE id IN (${(i * 104_729) % 20_000}, 1, 20000)`);
  }
  const damaged = tableOf(await finding, 'public.busy');
  assert.deepEqual([damaged.missing, damaged.different, damaged.extra], [[{ id: -1 }], [{ id: -2 }], []]);
});

it('a value that was not logged is a wildcard, and counted', async () => {
  await using tailed = await tailedDatabase(
    `CREATE TABLE docs (id int PRIMARY KEY, n int, big text STORAGE EXTERNAL, other text)`,
  );
  await using daemon = await Daemon.create({ sources: [tailed.source()] });
  await daemon.start().streaming();
  await tailed.query("INSERT INTO docs SELECT i, 0, repeat('x', 9000), 'o' FROM generate_series(1, 20) AS i");
  await tailed.query('UPDATE docs SET n = 1 WHERE id <= 8');
  await caughtUp(daemon, tailed, tailed.prefix);
  const equal = await verify(daemon.configPath, tailed.prefix);
  assert.equal(equal.code, 0, JSON.stringify(equal.report) + equal.stderr);
  assert.equal(tableOf(equal, 'public.docs').unavailable, 8);

  // The other columns of such a row are compared.
  assert.equal(await daemon.stop(), 0);
  await tailed.query("UPDATE docs SET n = 5 WHERE id = 3; UPDATE docs SET big = 'small' WHERE id = 4");
  const changed = await verify(daemon.configPath, tailed.prefix);
  assert.equal(changed.code, 3);
  assert.deepEqual(tableOf(changed, 'public.docs').different, [{ id: 3 }], 'key 4 differs only in what is not known');
});

it('a topic whose start was deleted, that is cut short, or that is not there is not equal', async () => {
  await using tailed = await tailedDatabase(`
    CREATE TABLE gone (id int PRIMARY KEY, t text);
    CREATE TABLE cut (id int PRIMARY KEY, t text);
    CREATE TABLE old (id int PRIMARY KEY, t text);
    INSERT INTO gone VALUES (1, 'before the stream'), (2, 'too')`);
  await using daemon = await Daemon.create({ sources: [tailed.source()] });
  await daemon.start().streaming();
  await tailed.query("INSERT INTO cut SELECT i, 'x' FROM generate_series(1, 40) AS i");
  await tailed.query("INSERT INTO old SELECT i, 'x' FROM generate_series(1, 40) AS i; UPDATE old SET t = 'y'");
  await caughtUp(daemon, tailed, tailed.prefix);
  assert.equal(await daemon.stop(), 0);
  // The rest still holds every key.
  await deleteRecordsBefore(tailed.topic('public.old'), 0, 35);
  await rewriteTopic(tailed.topic('public.cut'), (records) => records.slice(0, -3));

  const verdict = await verify(daemon.configPath, tailed.prefix);
  assert.equal(verdict.code, 3, verdict.stderr);
  const { report } = verdict;
  assert.equal(report?.equal, false);
  const gone = tableOf(verdict, 'public.gone');
  assert.deepEqual([gone.verdict, gone.missing], ['different', [{ id: 1 }, { id: 2 }]]);
  const cut = tableOf(verdict, 'public.cut');
  assert.equal(cut.verdict, 'different');
  assert.deepEqual(cut.missing.map(({ id }) => id).sort(), [38, 39, 40]);
  const old = tableOf(verdict, 'public.old');
  assert.equal(old.verdict, 'incomplete');
  assert.match(old.reason ?? '', /partition 0 begins at offset 35/);
});

it('columns that came and went, what the configuration hides, and truncated tables are compared as published', async () => {
  await using tailed = await tailedDatabase(`
    CREATE TABLE shapes (id int PRIMARY KEY, a int, b text NOT NULL DEFAULT 'd', gone int, secret text, mail varchar(80));
    CREATE TABLE keyed (id int PRIMARY KEY, kind text NOT NULL, n int);
    ALTER TABLE keyed REPLICA IDENTITY FULL;
    CREATE TABLE emptied (id int PRIMARY KEY, t text)`);
  await using daemon = await Daemon.create({
    sources: [
      tailed.source({
        columns: {
          exclude: ['public\\.shapes\\.secret'],
          hash: [{ match: 'public\\.shapes\\.mail', algorithm: 'sha256', salt: 'salt' }],
        },
        message_key: [{ table: 'public\\.keyed', columns: ['kind'] }],
        skipped_operations: [],
      }),
    ],
  });
  await daemon.start().streaming();
  await tailed.query("INSERT INTO shapes SELECT i, i, 'b', i, 's', 'm' || i FROM generate_series(1, 10) AS i");
  await tailed.query(
    'ALTER TABLE shapes DROP COLUMN gone; ALTER TABLE shapes ADD COLUMN added int DEFAULT 5; ALTER TABLE shapes ALTER a TYPE bigint',
  );
  await tailed.query("INSERT INTO shapes SELECT i, i, 'b', 's', 'm' || i, NULL FROM generate_series(11, 15) AS i");
  await tailed.query('ALTER TABLE shapes ADD COLUMN nullable text; UPDATE shapes SET a = 0 WHERE id = 2');
  await tailed.query("INSERT INTO keyed SELECT i, 'kind ' || i, i FROM generate_series(1, 10) AS i");
  await tailed.query("UPDATE keyed SET kind = 'moved' WHERE id = 3");
  await tailed.query("INSERT INTO emptied SELECT i, 'x' FROM generate_series(1, 10) AS i; TRUNCATE emptied");
  await tailed.query("INSERT INTO emptied VALUES (3, 'again')");
  await caughtUp(daemon, tailed, tailed.prefix);
  const equal = await verify(daemon.configPath, tailed.prefix);
  assert.equal(equal.code, 0, JSON.stringify(equal.report, null, 1) + equal.stderr);
  assert.deepEqual(equal.report?.tables.map(({ table, rows }) => [table, rows]).sort(), [
    ['public.emptied', 1],
    ['public.keyed', 10],
    ['public.shapes', 15],
  ]);

  // Filled in by the alteration, without a change in the log: consumers do not have it.
  assert.equal(await daemon.stop(), 0);
  await tailed.query("ALTER TABLE shapes ADD COLUMN made text DEFAULT 'made ' || (random() * 0)::int");
  const altered = await verify(daemon.configPath, tailed.prefix, '--table', 'shapes');
  assert.equal(tableOf(altered, 'public.shapes').counts.different, 15);
});

it('stops at an interrupt, and does not call that equal', async () => {
  await using tailed = await tailedDatabase('CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)');
  await using daemon = await Daemon.create({ sources: [tailed.source()] });
  // A transaction that goes on holds up the view.
  await tailed.query('BEGIN');
  await tailed.query('LOCK TABLE t IN ACCESS EXCLUSIVE MODE');
  await using command = new CommandProcess(['verify', tailed.prefix, '-c', daemon.configPath]);
  await command.said('Waiting to read public.t');
  command.signal('SIGINT');
  assert.equal(await command.ended(), 1);
  assert.match(command.stderr, /Stopped before everything was compared/);
  assert.equal(command.stdout, '');
  await tailed.query('COMMIT');
  const [left] = await tailed.query<{ n: string }>(
    "SELECT count(*) AS n FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle' AND backend_type = 'client backend'",
  );
  assert.equal(left?.n, '0');
  assert.equal((await readTopics([tailed.topic('public.t')])).length, 0);
});
