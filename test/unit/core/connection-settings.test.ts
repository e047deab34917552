import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ConnectionForm, readConnection } from '../../../src/core/connection-settings.ts';
import { Secret } from '../../../src/core/secret.ts';
import { selfSignedCertificate } from '../../support/self-signed-certificate.ts';

const FORM: ConnectionForm = {
  type: 'demo',
  url: {
    schemes: ['demo:'],
    example: 'demo://user:password@host:1/database',
    tlsFiles: { sslca: 'ca_file', sslkey: 'key_file' },
    tlsModeParameter: 'ssl',
    tlsMode: (word) => (word === 'full' ? 'verify-full' : undefined),
  },
  defaultPort: 7,
  required: ['host', 'user'],
};

function noFile(): never {
  throw Object.assign(new Error('none'), { code: 'ENOENT' });
}
const read = (given: Record<string, unknown>, readFile: (path: string) => string = noFile) =>
  readConnection(given, FORM, readFile);
const paths = (given: Record<string, unknown>) => read(given).problems.map(({ path }) => path);

test('what the URL lacks has its default, and what is not about the connection is handed back', () => {
  const { connection, problems, others } = read({ url: 'demo://u%40x:p%25@[::1]/shop', colour: 'red' });
  assert.deepEqual(problems, []);
  assert.deepEqual(others, { colour: 'red' });
  assert.equal(connection?.password?.reveal(), 'p%');
  assert.deepEqual(
    { ...connection, password: null },
    {
      host: '::1',
      port: 7,
      user: 'u@x',
      password: null,
      database: 'shop',
      tls: { mode: 'prefer', ca: null, cert: null, key: null },
      connectTimeoutMs: 10_000,
      queryTimeoutMs: 30_000,
    },
  );
});

test('single settings complete a URL, and files are read', () => {
  const own = selfSignedCertificate('c');
  const files: Readonly<Record<string, string>> = { 'ca.pem': own.cert, 'c.pem': own.cert, 'k.pem': own.key };
  const { connection } = read(
    {
      url: new Secret('demo://h:9?sslca=ca.pem&ssl=full&sslkey=k.pem'),
      user: 'u',
      tls: { cert_file: 'c.pem' },
      connect_timeout_ms: '200',
      query_timeout_ms: 300,
    },
    (path) => files[path] ?? noFile(),
  );
  assert.deepEqual([connection?.port, connection?.database, connection?.password], [9, null, null]);
  assert.deepEqual([connection?.connectTimeoutMs, connection?.queryTimeoutMs], [200, 300]);
  const { mode, ca, cert, key } = connection!.tls;
  assert.deepEqual([mode, ca, cert, key?.reveal()], ['verify-full', own.cert, own.cert, own.key]);
});

test('a file that cannot be used is a problem of its setting', () => {
  const [one, two] = [selfSignedCertificate('one'), selfSignedCertificate('two')];
  const { problems } = read(
    { url: 'demo://u@h', tls: { mode: 'verify-ca', ca_file: 'ca.pem', cert_file: 'c.pem', key_file: 'k.pem' } },
    (path) => ({ 'ca.pem': one.key, 'c.pem': one.cert, 'k.pem': two.key })[path] ?? noFile(),
  );
  assert.deepEqual(problems, [
    { path: 'tls.ca_file', message: 'names a file without a certificate that can be read' },
    { path: 'tls.key_file', message: 'names the key of another certificate than cert_file' },
  ]);
});

test('every problem is told at once, by its path', () => {
  assert.deepEqual(paths({}), ['host', 'user']);
  assert.deepEqual(paths({ host: '', port: 70_000, tls: { mode: 'maybe', colour: 1 } }).sort(), [
    'host',
    'port',
    'tls.colour',
    'tls.mode',
    'user',
  ]);
  assert.deepEqual(paths({ url: 'demo://u@h', user: 'v', tls: 5 }), ['tls', 'user']);
  assert.deepEqual(paths({ url: 'other://u@h' }), ['url']);
  assert.deepEqual(paths({ url: 'demo://u@h?ssl=perhaps&sslx=1' }), ['url', 'url']);
  assert.deepEqual(paths({ url: 'demo://u@h?ssl=full', tls: { mode: 'require' } }), ['tls.mode']);
  assert.deepEqual(paths({ url: 'demo://u@h', tls: { ca_file: 'ca.pem', key_file: 'k.pem' } }), [
    'tls.mode',
    'tls',
    'tls.ca_file',
    'tls.key_file',
  ]);
  assert.match(read({ url: 'demo://u@h', tls: { mode: 'verify-ca', ca_file: 'x' } }).problems[0]!.message, /ENOENT/);
});

test('a % that starts no %XX is a problem of the URL, and no problem repeats what may be a secret', () => {
  for (const url of ['demo://hunter2%zz@h', 'demo://u:hunter2%@h', 'demo://u@h/hunter2%', 'demo://hunter2%ff@h']) {
    const { problems } = read({ url });
    assert.deepEqual(
      problems.map(({ path }) => path),
      ['url'],
    );
    assert.match(problems[0]!.message, /%25/);
    assert.doesNotMatch(JSON.stringify(problems), /hunter2/);
  }
  const { problems } = read({ url: 'demo://u:hunter2@h?ssl=hunter2', password: 'hunter2', host: 7, port: 'hunter2' });
  assert.ok(problems.length >= 4);
  assert.doesNotMatch(JSON.stringify(problems), /hunter2/);
});
