import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import pg from 'pg';
import type { ConnectionConfig } from '../../../connectors/postgres/config.ts';
import { SqlConnection } from '../../../connectors/postgres/connection.ts';
import { ReplicationConnection } from '../../../connectors/postgres/replication-connection.ts';
import { startPostgres } from '../../../deploy/local/postgres.ts';
import type { Service } from '../../../deploy/local/service.ts';
import { type ConnectionTls, TLS_MODES } from '../../../src/core/database-connection.ts';
import { Secret } from '../../../src/core/secret.ts';
import { SystemClock } from '../../../src/observability/system-clock.ts';
import { assertRefused, type Refusal } from '../../support/assert-refused.ts';
import { awaitUntil } from '../../support/await-until.ts';
import { type Certificate, CertificateAuthority } from '../../support/certificate.ts';
import { type OwnService, startOwnService } from '../../support/own-service.ts';
import { postgresVersion } from '../../support/services.ts';
import { SILENT_LOGGER } from '../../unit/avro/fake-registry.ts';

const DEADLINE_MS = 20_000;
const authority = new CertificateAuthority('authority of the server');
const stranger = new CertificateAuthority('authority of somebody else');
const CERTIFICATES = {
  right: authority.server('localhost', '127.0.0.1'),
  elsewhere: authority.server('db.example'),
  localhost: authority.server('localhost'),
  expired: authority.expired('localhost', '127.0.0.1'),
};
const ACCESS = [
  'host all postgres 127.0.0.1/32 trust',
  'hostssl all certified 127.0.0.1/32 cert',
  'hostssl replication,all scram all scram-sha-256',
  'hostssl all hashed all md5',
  'hostssl all clear all password',
];

let own: OwnService<Service>;
let admin: pg.Client;

before(async () => {
  own = await startOwnService((context) =>
    startPostgres(postgresVersion() ?? 17, context, {
      settings: ["ssl_ca_file = 'authority.crt'", ...tlsSettings('right')],
      files: {
        'authority.crt': authority.cert,
        ...Object.fromEntries(
          Object.entries(CERTIFICATES).flatMap(([name, { cert, key }]) => [
            [`${name}.crt`, cert],
            [`${name}.key`, key],
          ]),
        ),
      },
      access: ACCESS,
    }),
  );
  admin = new pg.Client({ connectionString: own.service.url });
  await admin.connect();
  await admin.query(`CREATE USER certified; CREATE USER scram REPLICATION PASSWORD 'päss word'`);
  await admin.query(`CREATE USER clear PASSWORD 'p'; SET password_encryption = md5; CREATE USER hashed PASSWORD 'p'`);
});

after(async () => {
  await admin?.end();
  await own?.[Symbol.asyncDispose]();
});

type Tls = Partial<Omit<ConnectionTls, 'key'>> & { readonly key?: string };
type Who = Partial<Pick<ConnectionConfig, 'host' | 'user' | 'password'>>;

function connectionTo({ key, ...tls }: Tls, who: Who = {}): ConnectionConfig {
  return {
    host: '127.0.0.1',
    port: Number(new URL(own.service.url).port),
    user: 'postgres',
    password: null,
    database: 'postgres',
    connectTimeoutMs: 5_000,
    queryTimeoutMs: 5_000,
    ...who,
    tls: { mode: 'prefer', ca: null, cert: null, ...tls, key: key === undefined ? null : new Secret(key) },
  };
}

/** Whether a connection that came about is encrypted. */
async function isEncrypted(tls: Tls, who: Who = {}): Promise<boolean> {
  await using connection = new SqlConnection(connectionTo(tls, who), 'test');
  const sql = 'SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()';
  const [row] = await connection.query<{ ssl: boolean }>('asking', sql, [], AbortSignal.timeout(DEADLINE_MS));
  return row!.ssl;
}

function tlsSettings(name: keyof typeof CERTIFICATES | null): string[] {
  if (name === null) return ['ssl = off'];
  return ['ssl = on', `ssl_cert_file = '${name}.crt'`, `ssl_key_file = '${name}.key'`];
}

async function serveWith(name: keyof typeof CERTIFICATES | null): Promise<void> {
  const settings = tlsSettings(name);
  for (const setting of settings) await admin.query(`ALTER SYSTEM SET ${setting}`);
  await admin.query('SELECT pg_reload_conf()');
  // A new connection shows what the postmaster has read.
  await awaitUntil('the server has read its settings', async () => {
    await using connection = new SqlConnection(connectionTo({ mode: 'prefer' }), 'test');
    const sql = `SELECT current_setting('ssl')::bool AS "on", current_setting('ssl_cert_file') AS file`;
    const rows = await connection.query<{ on: boolean; file: string }>('', sql, [], AbortSignal.timeout(DEADLINE_MS));
    return name === null ? !rows[0]!.on : rows[0]!.on && rows[0]!.file === `${name}.crt`;
  });
}

async function refused(name: string, expected: Refusal, tls: Tls, who: Who = {}): Promise<void> {
  await assertRefused(isEncrypted(tls, who), expected, name);
}

const withCertificate = (mode: ConnectionTls['mode'], { cert, key }: Certificate): Tls => ({
  mode,
  ca: mode.startsWith('verify') ? authority.cert : null,
  cert,
  key,
});
const SCRAM = { user: 'scram', password: new Secret('päss word') };

test('each mode asks for as much as it says', async () => {
  await serveWith('right');
  for (const mode of TLS_MODES) {
    const ca = mode.startsWith('verify') ? authority.cert : null;
    assert.equal(await isEncrypted({ mode, ca }), mode !== 'disable', mode);
  }
});

test('a certificate of another authority is refused by the modes that verify, and by no other', async () => {
  await serveWith('right');
  assert.equal(await isEncrypted({ mode: 'require', ca: stranger.cert }), true);
  const expected = { code: 'POSTGRES_TLS', message: /not signed by an authority/, remedy: /tls\.ca_file/ };
  for (const mode of ['verify-ca', 'verify-full'] as const) {
    await refused(`${mode}, another authority`, expected, { mode, ca: stranger.cert });
    await refused(`${mode}, those of the system`, expected, { mode });
  }
});

test('a certificate for another name is refused by verify-full alone, by address as by name', async () => {
  const message = (name: string) => new RegExp(`for another name: 127\\.0\\.0\\.1 is not in “DNS:${name}”`);
  for (const [certificate, name] of [
    ['elsewhere', 'db\\.example'],
    ['localhost', 'localhost'],
  ] as const) {
    await serveWith(certificate);
    assert.equal(await isEncrypted({ mode: 'verify-ca', ca: authority.cert }), true);
    const expected = { code: 'POSTGRES_TLS', message: message(name), remedy: /a name that is in the certificate/ };
    await refused(certificate, expected, { mode: 'verify-full', ca: authority.cert });
  }
  assert.equal(await isEncrypted({ mode: 'verify-full', ca: authority.cert }, { host: 'localhost' }), true);
});

test('a certificate that has expired is refused by the modes that verify', async () => {
  await serveWith('expired');
  assert.equal(await isEncrypted({ mode: 'require' }), true);
  for (const mode of ['verify-ca', 'verify-full'] as const) {
    await refused(mode, { code: 'POSTGRES_TLS', message: /expired/, remedy: /Renew/ }, { mode, ca: authority.cert });
  }
});

test('a server without TLS is refused, unless the mode is disable or prefer', async () => {
  await serveWith(null);
  for (const mode of TLS_MODES) {
    const tls = { mode, ca: mode.startsWith('verify') ? authority.cert : null };
    if (mode === 'disable' || mode === 'prefer') assert.equal(await isEncrypted(tls), false);
    else await refused(mode, { code: 'POSTGRES_NO_TLS', remedy: /tls\.mode/ }, tls);
  }
});

test('a client certificate says who connects', async () => {
  await serveWith('right');
  const who = { user: 'certified' };
  assert.equal(await isEncrypted(withCertificate('verify-full', authority.client('certified')), who), true);
  const unknown = { code: 'POSTGRES_AUTHENTICATION', remedy: /client certificate/ };
  await refused('none', { ...unknown, message: /requires a valid client certificate/ }, { mode: 'require' }, who);
  await refused('another user', unknown, withCertificate('verify-full', authority.client('somebody')), who);
  await refused(
    'another authority',
    { code: 'POSTGRES_TLS', message: /client certificate/, remedy: /tls\.cert_file/ },
    withCertificate('require', stranger.client('certified')),
    who,
  );
});

test('a password by SCRAM-SHA-256, and what is wrong with another', async () => {
  await serveWith('right');
  assert.equal(await isEncrypted({ mode: 'verify-full', ca: authority.cert }, SCRAM), true);
  const code = 'POSTGRES_AUTHENTICATION';
  const wrong = { ...SCRAM, password: new Secret('another') };
  await refused('wrong', { code, message: /authentication failed/, remedy: /password/ }, { mode: 'require' }, wrong);
  const none = { ...SCRAM, password: null };
  await refused('none', { code, remedy: /set the password/ }, { mode: 'require' }, none);
  await refused('in plain text', { code, message: /no encryption/, remedy: /TLS/ }, { mode: 'disable' }, SCRAM);
});

test('the older ways to ask for a password', async () => {
  await serveWith('right');
  for (const user of ['hashed', 'clear']) {
    assert.equal(await isEncrypted({ mode: 'require' }, { user, password: new Secret('p') }), true);
    const expected = { code: 'POSTGRES_AUTHENTICATION', remedy: /password/ };
    await refused(user, expected, { mode: 'require' }, { user, password: new Secret('q') });
  }
});

test('the stream of changes is encrypted as every other connection is', async () => {
  await serveWith('right');
  await admin.query('CREATE TABLE t (id int PRIMARY KEY); CREATE PUBLICATION p FOR TABLE t');
  await admin.query(`SELECT pg_create_logical_replication_slot('s', 'pgoutput')`);
  const { signal } = new AbortController();
  const start = (tls: Tls) =>
    ReplicationConnection.start(
      {
        connection: connectionTo(tls, SCRAM),
        slot: 's',
        publications: ['p'],
        server: null,
        statusIntervalMs: 1_000,
        silenceLimitMs: 60_000,
        clock: new SystemClock(),
        logger: SILENT_LOGGER,
      },
      signal,
    );
  const strange = start({ mode: 'verify-full', ca: stranger.cert });
  await assertRefused(strange, { code: 'POSTGRES_TLS', message: /authority/ }, 'another authority');
  await using connection = await start({ mode: 'verify-full', ca: authority.cert });
  const { rows } = await admin.query(
    `SELECT ssl FROM pg_stat_ssl JOIN pg_stat_replication USING (pid) WHERE usename = 'scram'`,
  );
  assert.deepEqual(rows, [{ ssl: true }]);
  await admin.query('INSERT INTO t VALUES (1)');
  await connection.inbox.waitForMore();
  assert.equal(connection.inbox.failure, null);
});
