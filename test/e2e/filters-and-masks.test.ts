import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { it } from 'node:test';
import { Daemon } from '../support/daemon-process.ts';
import { askRegistry } from '../support/registry.ts';
import { caughtUp, tailedDatabase } from '../support/tailed-database.ts';
import { listTopics, readTopics } from '../support/topic-reader.ts';

const SALT = 'pepper-and-salt';
/** Plaintext that must not leave the process; each a word that appears nowhere else. */
const PLAINTEXT = ['gusuzixa', 'hopiwelo', 'jorekami', 'tuvobeqy'];
const [SSN, MAIL, NOTE_REST, INTERNAL] = PLAINTEXT;

it('tables, columns, masks, keys, operations: what is left out and masked appears nowhere', async () => {
  await using tailed = await tailedDatabase(`
    CREATE SCHEMA audit;
    CREATE TABLE users (id int PRIMARY KEY, ssn text, mail varchar(255), short_mail varchar(20), note text, internal text,
      nullable_ssn text, kept text);
    ALTER TABLE users REPLICA IDENTITY FULL;
    CREATE TABLE tenants (tenant int, id int, name text, PRIMARY KEY (tenant, id));
    CREATE TABLE events (id int PRIMARY KEY, kind text NOT NULL, day date NOT NULL);
    ALTER TABLE events REPLICA IDENTITY FULL;
    CREATE TABLE users_backup (id int PRIMARY KEY);
    CREATE TABLE audit.log (id int PRIMARY KEY)`);
  await using daemon = await Daemon.create({
    sources: [
      tailed.source({
        tables: { include: ['public\\..*'], exclude: ['public\\..*_backup'] },
        columns: {
          exclude: ['public\\.users\\.internal', 'public\\.tenants\\.tenant'],
          mask: [{ match: 'public\\.users\\.(nullable_)?ssn', with: '****' }],
          hash: [{ match: 'public\\.users\\.(short_)?mail', algorithm: 'sha256', salt: SALT }],
          truncate: [{ match: 'public\\.users\\.note', length: 5 }],
          propagate_source_type: ['public\\.(users|events)\\..*'],
        },
        message_key: [{ table: 'public\\.events', columns: ['kind', 'day'] }],
        skipped_operations: ['u', 't'],
        tombstones_on_delete: false,
      }),
    ],
    config: { log: { level: 'debug' } },
  });
  await daemon.start().streaming();
  await tailed.query(
    `INSERT INTO users VALUES (1, '${SSN}', '${MAIL}', '${MAIL}', '12345${NOTE_REST}', '${INTERNAL}', NULL, 'open')`,
  );
  await tailed.query("UPDATE users SET kept = 'changed'");
  await tailed.query('DELETE FROM users');
  await tailed.query(
    `INSERT INTO users VALUES (2, '${SSN}2', '${MAIL}2', '${MAIL}2', 'abcd😀${NOTE_REST}', '${INTERNAL}2', '${SSN}', 'open')`,
  );
  await tailed.query("INSERT INTO tenants VALUES (7, 1, 'a'), (8, 1, 'b')");
  await tailed.query("INSERT INTO events VALUES (1, 'click', '2026-01-02')");
  await tailed.query("UPDATE events SET kind = 'tap'");
  await tailed.query('TRUNCATE events');
  await tailed.query('INSERT INTO users_backup VALUES (1); INSERT INTO audit.log VALUES (1)');
  await caughtUp(daemon, tailed, tailed.prefix);

  const hashOf = (text: string) => createHash('sha256').update(SALT).update(text).digest('hex');
  const users = await tailed.records('public.users', 3);
  assert.deepEqual(
    users.map(({ decodedValue }) => decodedValue.op),
    ['c', 'd', 'c'],
    'no update, no tombstone',
  );
  const [inserted, deleted, second] = users.map(({ decodedValue }) => decodedValue);
  assert.deepEqual(
    { ...inserted.after },
    {
      id: 1,
      ssn: '****',
      mail: hashOf(MAIL!),
      short_mail: hashOf(MAIL!).slice(0, 20),
      note: '12345',
      nullable_ssn: null,
      kept: 'open',
    },
  );
  assert.deepEqual({ ...deleted.before }, { ...inserted.after, kept: 'changed' }, 'the old row is masked as well');
  assert.equal(deleted.after, null);
  assert.equal(second.after.note, 'abcd', 'a pair of surrogates is not cut in two');
  assert.equal(second.after.nullable_ssn, '****');

  const schema = JSON.parse(await schemaText(`${tailed.topic('public.users')}-value`));
  const row = schema.fields.find(({ name }: { name: string }) => name === 'before').type[1];
  const parameters = new Map<string, Record<string, string>>();
  for (const { name, type } of row.fields) {
    const branches: readonly Record<string, Record<string, string>>[] = Array.isArray(type) ? type : [type];
    parameters.set(name, branches.find((branch) => typeof branch === 'object')?.['connect.parameters'] ?? {});
  }
  assert.deepEqual(parameters.get('ssn'), { masked: 'true' });
  assert.deepEqual(parameters.get('mail'), { masked: 'true' });
  assert.deepEqual(parameters.get('note'), { truncateLength: '5' });
  assert.equal(parameters.get('kept')?.['__debezium.source.column.type'], 'TEXT');
  assert.equal(parameters.has('internal'), false);

  const tenants = await tailed.records('public.tenants', 2);
  assert.deepEqual(
    tenants.map(({ decodedKey }) => ({ ...decodedKey })),
    [
      { tenant: 7, id: 1 },
      { tenant: 8, id: 1 },
    ],
    'a key column stays in the key though excluded from the value',
  );
  assert.deepEqual({ ...tenants[0]?.decodedValue.after }, { id: 1, name: 'a' });

  const events = await tailed.records('public.events', 1);
  assert.deepEqual(
    events.map(({ decodedKey, decodedValue }) => [{ ...decodedKey }, decodedValue.op]),
    [[{ kind: 'click', day: 20_455 }, 'c']],
  );

  const topics = await listTopics(tailed.prefix);
  assert.deepEqual(
    topics.sort(),
    ['public.events', 'public.tenants', 'public.users'].map((name) => tailed.topic(name)),
  );
  const metrics = await (await daemon.get('/metrics')).text();
  const api = await (await daemon.get('/api/v1/sources')).text();
  assert.equal(await daemon.stop(), 0);
  const records = await readTopics(topics);
  for (const text of [...PLAINTEXT, SALT]) {
    for (const { topic, offset, key, value, headers } of records) {
      const bytes = Buffer.concat([
        key ?? Buffer.alloc(0),
        value ?? Buffer.alloc(0),
        Buffer.from(JSON.stringify(headers)),
      ]);
      assert.ok(!bytes.includes(text), `${text} is in record ${offset} of ${topic}`);
    }
    assert.ok(!daemon.output.includes(text), `${text} is in the log`);
    assert.ok(!metrics.includes(text), `${text} is in the metrics`);
    assert.ok(!api.includes(text), `${text} is in the API`);
  }
});

async function schemaText(subject: string): Promise<string> {
  const { body } = await askRegistry('GET', `/subjects/${encodeURIComponent(subject)}/versions/latest`);
  return (body as { schema: string }).schema;
}
