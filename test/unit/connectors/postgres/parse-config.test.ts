import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parsePostgresConfig } from '../../../../connectors/postgres/parse-config.ts';
import { Secret } from '../../../../src/core/secret.ts';
import type { SourceSettings } from '../../../../src/core/settings.ts';

const parse = (connector: Record<string, unknown>, name = 'shop') =>
  parsePostgresConfig({ name, unavailablePlaceholder: 'gone', connector } as unknown as SourceSettings);

const problems = (connector: Record<string, unknown>) => {
  const parsed = parse(connector);
  assert.ok(!parsed.ok);
  return parsed.problems.map((problem) => problem.path);
};

test('a URL alone is enough; the rest has the defaults of Debezium', () => {
  const parsed = parse({ url: new Secret('postgres://cdc:p%40ss@db.example:6432/shop?sslmode=verify-full') });
  assert.ok(parsed.ok);
  const { connection, types, slot } = parsed.value;
  assert.deepEqual(
    [connection.host, connection.port, connection.user, connection.password?.reveal(), connection.database],
    ['db.example', 6432, 'cdc', 'p@ss', 'shop'],
  );
  assert.equal(connection.tls.mode, 'verify-full');
  assert.deepEqual(types, {
    decimal: 'precise',
    time: 'adaptive',
    binary: 'bytes',
    interval: 'numeric',
    hstore: 'json',
    unknown: 'skip',
    moneyFractionDigits: 2,
    unavailablePlaceholder: 'gone',
  });
  assert.deepEqual(slot, {
    name: 'tailrace_shop',
    publication: 'tailrace_shop',
    autocreate: 'filtered',
    failover: false,
  });
});

test('names made of the source fit what Postgres allows', () => {
  const parsed = parse({ host: 'h', user: 'u', database: 'd' }, 'Größe Shop-1'.padEnd(90, 'x'));
  assert.ok(parsed.ok);
  assert.match(parsed.value.slot.name, /^[a-z0-9_]{1,63}$/);
  assert.ok(`${parsed.value.slot.publication}_insert_only`.length <= 63);
});

test('every problem is named at once, by its path', () => {
  assert.deepEqual(
    problems({
      url: 'postgres://u@h/d',
      colour: 1,
      slot: { name: 'Upper', colour: 2 },
      types: { decimal: 'x' },
    }).sort(),
    ['colour', 'slot.colour', 'slot.name', 'types.decimal'],
  );
  assert.deepEqual(problems({}), ['host', 'user', 'database']);
  assert.deepEqual(problems({ url: 'postgres://u@h/d', user: 'v' }), ['user']);
  assert.deepEqual(problems({ url: 'mysql://u@h/d' })[0], 'url');
  assert.deepEqual(problems({ url: 'postgres://u@h/d?sslmode=nonsense' }), ['url']);
  assert.deepEqual(problems({ url: 'postgres://u@h/d', tls: { mode: 'verify-ca', ca_file: '/nowhere/ca.pem' } }), [
    'tls.ca_file',
  ]);
  assert.deepEqual(problems({ url: 'postgres://u@h/d', tls: { ca_file: '/nowhere/ca.pem' } })[0], 'tls.mode');
  assert.deepEqual(problems({ url: 'postgres://u@h/d', tls: { cert_file: '/nowhere/c.pem' } })[0], 'tls');
});

test('no problem repeats a secret', () => {
  const parsed = parse({
    url: 'postgres://u:hunter2@h/d?sslmode=hunter2',
    password: 'hunter2',
    slot: { name: 'hunter2-X' },
  });
  assert.ok(!parsed.ok);
  assert.doesNotMatch(JSON.stringify(parsed.problems), /hunter2/);
});
