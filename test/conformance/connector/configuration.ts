import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Secret } from '../../../src/core/secret.ts';
import type { ConformanceServer } from './conformance-database.ts';
import { sourceSettings } from './source.ts';

/** What `parseConfig` promises. */
export function testConfiguration(server: ConformanceServer): void {
  const parse = (connector: Readonly<Record<string, unknown>>) =>
    server.connector.parseConfig(sourceSettings(server, 'shop', connector));
  const problems = (connector: Readonly<Record<string, unknown>>) => {
    const parsed = parse(connector);
    assert.ok(!parsed.ok, 'there are problems');
    return parsed.problems;
  };
  const paths = (connector: Readonly<Record<string, unknown>>) => problems(connector).map(({ path }) => path);
  const scheme = server.connector.type;

  it('tells every problem of the settings at once, each with its path', () => {
    const wrong = {
      port: 70_000,
      tls: { mode: 'maybe', colour: 1 },
      types: { decimal: 'roman', colour: 1 },
      colour: 1,
      query_timeout_ms: 1,
    };
    const expected = [
      ...['host', 'port', 'tls.mode', 'tls.colour', 'types.decimal', 'types.colour', 'colour'],
      ...['query_timeout_ms', 'user'],
    ];
    const found = new Set(paths(wrong));
    assert.deepEqual(
      expected.filter((path) => !found.has(path)),
      [],
      [...found].join(),
    );
    for (const { message } of problems(wrong)) assert.notEqual(message, '');
    assert.deepEqual(paths({ url: `${scheme}://u@h/d`, user: 'v' }), ['user']);
    assert.deepEqual(paths({ url: 'gopher://u@h/d' }), ['url']);
    assert.deepEqual(paths({ url: `${scheme}://u@h/d`, tls: { mode: 'verify-ca', ca_file: '/nowhere/ca.pem' } }), [
      'tls.ca_file',
    ]);
  });

  it('repeats nothing in its problems that may be a secret', () => {
    for (const connector of [
      { url: new Secret(`${scheme}://u:hunter2@h/d?hunter2=1`), password: new Secret('hunter2'), user: 'v' },
      { url: `${scheme}://u:hunter2%@h/d` },
      { url: 'hunter2', types: { decimal: 'hunter2' }, port: 'hunter2' },
    ]) {
      for (const { message } of problems(connector))
        assert.doesNotMatch(message.replace(/parameter \S+/, ''), /hunter2/);
    }
  });

  it('takes a URL for everything, and single settings instead', () => {
    const byUrl = parse({ url: new Secret(`${scheme}://cdc:p%40ss@db.example:6432/shop`) });
    const single = { host: 'db.example', port: 6432, user: 'cdc', password: new Secret('p@ss'), database: 'shop' };
    const bySettings = parse(single);
    assert.ok(byUrl.ok && bySettings.ok);
    const connection = ({ value }: typeof byUrl) =>
      (value as unknown as { connection: { password: Secret } }).connection;
    assert.deepEqual(
      { ...connection(byUrl), password: connection(byUrl).password.reveal() },
      { ...connection(bySettings), password: connection(bySettings).password.reveal() },
    );
    assert.equal(connection(byUrl).password.reveal(), 'p@ss');
    assert.doesNotMatch(JSON.stringify(byUrl.value), /p@ss/, 'a configuration may be logged');
  });
}
