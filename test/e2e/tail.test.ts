import assert from 'node:assert/strict';
import { test } from 'node:test';
import { awaitUntil } from '../support/await-until.ts';
import { CommandProcess } from '../support/command-process.ts';
import { Daemon } from '../support/daemon-process.ts';
import { createPostgresDatabase, type PostgresDatabase } from '../support/postgres-database.ts';
import { uniqueName } from '../support/unique-name.ts';

const READY = 'Waiting for changes';
const ORDERS = `
  CREATE TABLE orders (id int PRIMARY KEY, item text, price numeric(10,2), at timestamptz, big bigint);
  ALTER TABLE orders REPLICA IDENTITY FULL`;
const INSERT = `INSERT INTO orders VALUES (1, 'a lamp', 12.5, '2026-01-02 03:04:05.678901Z', 9007199254740993)`;

function slots(database: PostgresDatabase): Promise<{ slot_name: string }[]> {
  return database.query('SELECT slot_name FROM pg_replication_slots WHERE database = $1', [database.name]);
}

function publications(database: PostgresDatabase): Promise<{ pubname: string }[]> {
  return database.query('SELECT pubname FROM pg_publication');
}

async function assertNothingLeft(database: PostgresDatabase): Promise<void> {
  assert.deepEqual(await publications(database), []);
  assert.deepEqual(await slots(database), []);
}

test('the changes of a database as JSON lines, in order; SIGINT leaves nothing behind', async () => {
  await using database = await createPostgresDatabase({ sql: ORDERS });
  await using tail = new CommandProcess(['tail', database.url, '--json']);
  await tail.said(READY);
  await database.query(INSERT);
  await database.query(`UPDATE orders SET item = 'a desk' WHERE id = 1`);
  await database.query('DELETE FROM orders WHERE id = 1');
  const changes = (await tail.printed(3)).map((line) => JSON.parse(line));
  const lamp = { id: 1, item: 'a lamp', price: '12.50', at: '2026-01-02T03:04:05.678901Z' };
  assert.deepEqual(
    changes.map(({ op, table, key, changed }) => ({ op, table, key, changed })),
    [
      { op: 'c', table: 'public.orders', key: { id: 1 }, changed: ['item', 'price', 'at', 'big'] },
      { op: 'u', table: 'public.orders', key: { id: 1 }, changed: ['item'] },
      { op: 'd', table: 'public.orders', key: { id: 1 }, changed: [] },
    ],
  );
  const { big, ...after } = changes[0].after;
  assert.deepEqual(after, lamp);
  assert.equal(typeof big, 'number');
  assert.match(tail.lines[0]!, /"big":9007199254740993[,}]/);
  assert.equal(changes[1].before.item, 'a lamp');
  assert.equal(changes[1].after.item, 'a desk');
  assert.equal(changes[2].after, null);
  assert.equal((await slots(database)).length, 1);
  tail.signal('SIGINT');
  assert.equal(await tail.ended(), 0);
  await assertNothingLeft(database);
});

test('--table shows the tables named, on lines for people', async () => {
  await using database = await createPostgresDatabase({ sql: `${ORDERS}; CREATE TABLE other (id int PRIMARY KEY)` });
  await using tail = new CommandProcess(['tail', database.url, '--table', 'orders']);
  await tail.said(READY);
  await database.query('INSERT INTO other VALUES (1)');
  await database.query(INSERT);
  const [line] = await tail.printed(1);
  assert.match(
    line!,
    /^\d\d:\d\d:\d\d\.\d{3} c public\.orders id=1 item="a lamp", price=12\.50, at=2026-01-02T03:04:05/,
  );
  tail.signal('SIGTERM');
  assert.equal(await tail.ended(), 0);
  await assertNothingLeft(database);
});

test('what a killed tail leaves is dropped by the next, and a living tail keeps what it has', async () => {
  await using database = await createPostgresDatabase({ sql: ORDERS });
  await using killed = new CommandProcess(['tail', database.url, '--json']);
  await using living = new CommandProcess(['tail', database.url, '--json']);
  await killed.said(READY);
  await living.said(READY);
  killed.signal('SIGKILL');
  assert.equal(await killed.ended(), 'SIGKILL');
  await awaitUntil('the server noticed', async () => (await slots(database)).length === 1);
  assert.equal((await publications(database)).length, 4, 'two of each tail');
  await using next = new CommandProcess(['tail', database.url, '--json']);
  await next.said(READY);
  assert.equal((await publications(database)).length, 4, 'two of each living tail');
  await database.query(INSERT);
  assert.equal((await living.printed(1)).length, 1);
  assert.equal((await next.printed(1)).length, 1);
  for (const tail of [living, next]) {
    tail.signal('SIGINT');
    assert.equal(await tail.ended(), 0);
  }
  await assertNothingLeft(database);
});

test('a reader that has seen enough, as head has, ends the tail quietly', async () => {
  await using database = await createPostgresDatabase({ sql: ORDERS });
  await using tail = new CommandProcess(['tail', database.url, '--json']);
  await tail.said(READY);
  const before = tail.stderr;
  tail.closeStdout();
  await database.query(INSERT);
  assert.equal(await tail.ended(), 0);
  assert.equal(tail.stderr, before);
  await assertNothingLeft(database);
});

test('a role without the rights is told which, and nothing is made', async () => {
  await using database = await createPostgresDatabase({ sql: ORDERS });
  const role = uniqueName('tailer');
  await database.query(`CREATE ROLE ${role} LOGIN`);
  try {
    const url = new URL(database.url);
    url.username = role;
    await using plain = new CommandProcess(['tail', url.href]);
    assert.equal(await plain.ended(), 2);
    assert.match(plain.stderr, new RegExp(`${role} may not replicate[\\s\\S]*ALTER ROLE ${role} REPLICATION`));
    await database.query(`ALTER ROLE ${role} REPLICATION`);
    await using replicating = new CommandProcess(['tail', url.href]);
    assert.equal(await replicating.ended(), 2);
    assert.match(replicating.stderr, new RegExp(`GRANT CREATE ON DATABASE "${database.name}" TO "${role}"`));
    await database.query(`GRANT CREATE ON DATABASE ${database.name} TO ${role}`);
    await using creating = new CommandProcess(['tail', url.href]);
    assert.equal(await creating.ended(), 2);
    assert.match(creating.stderr, /does not own public\.orders/);
    await assertNothingLeft(database);
  } finally {
    await database.query(`DROP OWNED BY ${role}`);
    await database.query(`DROP ROLE ${role}`);
  }
});

test('what the daemon publishes to a topic, without its tombstones', async () => {
  await using database = await createPostgresDatabase({ sql: ORDERS });
  const name = uniqueName('tail');
  const source = { name, type: 'postgres', url: database.url, snapshot: { mode: 'no_data' } };
  await using daemon = await Daemon.create({ sources: [source] });
  await daemon.start().streaming();
  const topic = `${name}.public.orders`;
  await using missing = new CommandProcess(['tail', topic, '-c', daemon.configPath]);
  assert.equal(await missing.ended(), 2);
  assert.match(missing.stderr, new RegExp(`the topic ${topic} does not exist`));
  await database.query(`INSERT INTO orders VALUES (0, 'before the tail')`);
  await awaitUntil('the topic is there', async () => (await daemon.status(name)).changes_total === 1);
  await using tail = new CommandProcess(['tail', topic, '-c', daemon.configPath, '--json']);
  await tail.said(READY);
  await database.query(INSERT);
  await database.query(`UPDATE orders SET item = 'a desk' WHERE id = 1`);
  await database.query('DELETE FROM orders WHERE id = 1');
  await database.query(`INSERT INTO orders VALUES (2, 'the last')`);
  const changes = (await tail.printed(4)).map((line) => JSON.parse(line));
  assert.deepEqual(
    changes.map(({ op, table, key, changed }) => ({ op, table, key, changed })),
    [
      { op: 'c', table: 'public.orders', key: { id: 1 }, changed: ['item', 'price', 'at', 'big'] },
      { op: 'u', table: 'public.orders', key: { id: 1 }, changed: ['item'] },
      { op: 'd', table: 'public.orders', key: { id: 1 }, changed: [] },
      { op: 'c', table: 'public.orders', key: { id: 2 }, changed: ['item', 'price', 'at', 'big'] },
    ],
  );
  assert.equal(changes[0].after.price, '12.50');
  assert.equal(changes[0].after.at, '2026-01-02T03:04:05.678901Z');
  assert.match(tail.lines[0]!, /"big":9007199254740993[,}]/);
  tail.signal('SIGINT');
  assert.equal(await tail.ended(), 0);
  assert.equal(await daemon.stop(), 0);
});
