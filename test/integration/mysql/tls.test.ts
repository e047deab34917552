import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import mysql from 'mysql2/promise';
import { BinlogConnection } from '../../../connectors/mysql/binlog-connection.ts';
import { SqlConnection } from '../../../connectors/mysql/connection.ts';
import { DEFAULT_MARIADB, startMariadb } from '../../../deploy/local/mariadb.ts';
import { startMysql } from '../../../deploy/local/mysql.ts';
import type { Service, ServiceContext } from '../../../deploy/local/service.ts';
import { type ConnectionTls, type DatabaseConnection, TLS_MODES } from '../../../src/core/database-connection.ts';
import { Secret } from '../../../src/core/secret.ts';
import { SystemClock } from '../../../src/observability/system-clock.ts';
import { assertRefused, type Refusal } from '../../support/assert-refused.ts';
import { awaitUntil } from '../../support/await-until.ts';
import { type Certificate, CertificateAuthority } from '../../support/certificate.ts';
import { type OwnService, startOwnService } from '../../support/own-service.ts';

const DEADLINE_MS = 20_000;
const authority = new CertificateAuthority('authority of the server');
const stranger = new CertificateAuthority('authority of somebody else');

type Tls = Partial<Omit<ConnectionTls, 'key'>> & { readonly key?: string };
type Who = Partial<Pick<DatabaseConnection, 'host' | 'user' | 'password'>>;

function connectionTo(service: Service, { key, ...tls }: Tls, who: Who = {}): DatabaseConnection {
  return {
    host: '127.0.0.1',
    port: Number(new URL(service.url).port),
    user: 'cdc',
    password: new Secret('cdcpass'),
    database: null,
    connectTimeoutMs: 5_000,
    queryTimeoutMs: 5_000,
    ...who,
    tls: { mode: 'prefer', ca: null, cert: null, ...tls, key: key === undefined ? null : new Secret(key) },
  };
}

/** Whether a connection that came about is encrypted. */
async function isEncrypted(service: Service, tls: Tls, who: Who = {}): Promise<boolean> {
  await using connection = new SqlConnection(connectionTo(service, tls, who));
  const sql = "SHOW SESSION STATUS LIKE 'Ssl_version'";
  const [row] = await connection.query<{ Value: string }>('asking', sql, [], AbortSignal.timeout(DEADLINE_MS));
  return row!.Value !== '';
}

const withCertificate = (mode: ConnectionTls['mode'], { cert, key }: Certificate): Tls => ({
  mode,
  ca: mode.startsWith('verify') ? authority.cert : null,
  cert,
  key,
});

for (const server of ['mysql', 'mariadb'] as const) {
  describe(server, () => {
    const version = server === 'mysql' ? '9' : (process.env.TEST_MARIADB_VERSION ?? DEFAULT_MARIADB);
    let directory: string;
    let own: OwnService<Service>;
    let admin: mysql.Connection;

    function write({ cert, key }: Certificate): void {
      writeFileSync(join(directory, 'server.crt'), cert);
      writeFileSync(join(directory, 'server.key'), key);
    }

    async function serveWith(certificate: Certificate): Promise<void> {
      write(certificate);
      await admin.query(server === 'mysql' ? 'ALTER INSTANCE RELOAD TLS' : 'FLUSH SSL');
    }

    const start = (context: ServiceContext) => {
      directory = context.runDirectory;
      writeFileSync(join(directory, 'authority.crt'), authority.cert);
      write(authority.server('localhost', '127.0.0.1'));
      const files = { ca: 'authority.crt', cert: 'server.crt', key: 'server.key' };
      const options = Object.entries(files).map(([name, file]) => `--ssl-${name}=${join(directory, file)}`);
      return server === 'mysql' ? startMysql(version, context, options) : startMariadb(version, context, options);
    };
    const encrypted = (tls: Tls, who?: Who) => isEncrypted(own.service, tls, who);
    const refused = (name: string, expected: Refusal, tls: Tls, who?: Who) =>
      assertRefused(encrypted(tls, who), expected, name);

    before(async () => {
      own = await startOwnService(start);
      admin = await mysql.createConnection({ uri: own.service.url });
      await admin.query(`CREATE USER certified@'%' IDENTIFIED BY 'p' REQUIRE SUBJECT '/CN=certified'`);
      await admin.query(`CREATE USER encrypted@'%' IDENTIFIED BY 'päss word' REQUIRE SSL`);
    });

    after(async () => {
      await admin?.end();
      await own?.[Symbol.asyncDispose]();
    });

    test('each mode asks for as much as it says', async () => {
      for (const mode of TLS_MODES) {
        const ca = mode.startsWith('verify') ? authority.cert : null;
        assert.equal(await encrypted({ mode, ca }), mode !== 'disable', mode);
      }
    });

    test('a certificate of another authority is refused by the modes that verify, and by no other', async () => {
      assert.equal(await encrypted({ mode: 'require', ca: stranger.cert }), true);
      const expected = { code: 'MYSQL_TLS', message: /not signed by an authority/, remedy: /tls\.ca_file/ };
      for (const mode of ['verify-ca', 'verify-full'] as const) {
        await refused(`${mode}, another authority`, expected, { mode, ca: stranger.cert });
        await refused(`${mode}, those of the system`, expected, { mode });
      }
    });

    test('a certificate for another name is refused by verify-full alone, by address as by name', async () => {
      for (const name of ['db.example', 'localhost']) {
        await serveWith(authority.server(name));
        assert.equal(await encrypted({ mode: 'verify-ca', ca: authority.cert }), true);
        const message = new RegExp(`for another name: 127\\.0\\.0\\.1 is not in “DNS:${name}”`);
        const expected = { code: 'MYSQL_TLS', message, remedy: /a name that is in the certificate/ };
        await refused(name, expected, { mode: 'verify-full', ca: authority.cert });
      }
      assert.equal(await encrypted({ mode: 'verify-full', ca: authority.cert }, { host: 'localhost' }), true);
    });

    test('a certificate that has expired is refused by the modes that verify', async () => {
      // MySQL takes no certificate that has expired already.
      await serveWith(authority.shortLived(2_000, '127.0.0.1'));
      const verified = () => encrypted({ mode: 'verify-full', ca: authority.cert });
      await awaitUntil('it has expired', () =>
        verified().then(
          () => false,
          () => true,
        ),
      );
      assert.equal(await encrypted({ mode: 'require' }), true);
      for (const mode of ['verify-ca', 'verify-full'] as const) {
        await refused(mode, { code: 'MYSQL_TLS', message: /expired/, remedy: /Renew/ }, { mode, ca: authority.cert });
      }
      await serveWith(authority.server('localhost', '127.0.0.1'));
    });

    test('a client certificate says who connects', async () => {
      const who = { user: 'certified', password: new Secret('p') };
      assert.equal(await encrypted(withCertificate('verify-full', authority.client('certified')), who), true);
      const unknown = { code: 'MYSQL_AUTHENTICATION', remedy: /REQUIRE X509 also tls\.cert_file/ };
      await refused('none', unknown, { mode: 'require' }, who);
      await refused('another', unknown, withCertificate('verify-full', authority.client('somebody')), who);
      await refused(
        'another authority',
        { code: 'MYSQL_TLS', message: /client certificate/, remedy: /tls\.cert_file/ },
        withCertificate('require', stranger.client('certified')),
        who,
      );
    });

    test('a password, and what is wrong with another', async () => {
      const who = { user: 'encrypted', password: new Secret('päss word') };
      assert.equal(await encrypted({ mode: 'verify-full', ca: authority.cert }, who), true);
      const expected = { code: 'MYSQL_AUTHENTICATION', message: /Access denied/ };
      const another = { ...who, password: new Secret('another') };
      await refused('wrong', { ...expected, remedy: /password/ }, { mode: 'require' }, another);
      await refused('none', { ...expected, remedy: /password/ }, { mode: 'require' }, { ...who, password: null });
      await refused('in plain text', { ...expected, remedy: /tls\.mode require/ }, { mode: 'disable' }, who);
    });

    if (server === 'mysql') {
      for (const plugin of ['caching_sha2_password', 'sha256_password']) {
        test(`${plugin}, with TLS and without`, async () => {
          const user = `by_${plugin}`;
          await admin.query(`CREATE USER ${user}@'%' IDENTIFIED WITH ${plugin} BY 'p'`);
          // The first time the server knows nothing of the password but its hash, the second time it remembers.
          for (const mode of ['disable', 'disable', 'require'] as const) {
            assert.equal(await encrypted({ mode }, { user, password: new Secret('p') }), mode === 'require');
          }
        });
      }
    } else {
      test('mysql_native_password, with TLS and without', async () => {
        await admin.query(`CREATE USER native@'%' IDENTIFIED VIA mysql_native_password USING PASSWORD('p')`);
        for (const mode of ['disable', 'require'] as const) {
          assert.equal(await encrypted({ mode }, { user: 'native', password: new Secret('p') }), mode === 'require');
        }
      });

      test('a server without TLS is refused, unless the mode is disable or prefer', async () => {
        await using plain = await startOwnService((context) => startMariadb(version, context, ['--skip-ssl']));
        for (const mode of TLS_MODES) {
          const tls = { mode, ca: mode.startsWith('verify') ? authority.cert : null };
          const attempt = isEncrypted(plain.service, tls);
          if (mode === 'disable' || mode === 'prefer') assert.equal(await attempt, false);
          else await assertRefused(attempt, { code: 'MYSQL_NO_TLS', remedy: /tls\.mode/ }, mode);
        }
      });
    }

    test('the binlog is read over a connection that is verified as every other is', async () => {
      const [status] = await admin.query<mysql.RowDataPacket[]>('SHOW BINARY LOGS');
      const variable = server === 'mysql' ? 'server_uuid' : 'server_id';
      const [[identity]] = await admin.query<mysql.RowDataPacket[]>(`SELECT @@global.${variable} AS identity`);
      const read = (tls: Tls) =>
        BinlogConnection.start(
          {
            connection: connectionTo(own.service, tls),
            dialect: server,
            serverId: 4711,
            identity: String(identity!.identity),
            start: { kind: 'file', file: String(status.at(-1)!.Log_name), position: 4 },
            heartbeatPeriodMs: 1_000,
            silenceLimitMs: 60_000,
            clock: new SystemClock(),
          },
          AbortSignal.timeout(DEADLINE_MS),
        );
      const strange = read({ mode: 'verify-full', ca: stranger.cert });
      await assertRefused(strange, { code: 'MYSQL_TLS', message: /authority/ }, 'another authority');
      await using connection = await read({ mode: 'verify-full', ca: authority.cert });
      await connection.inbox.waitForMore();
      assert.equal(connection.inbox.failure, null);
    });
  });
}
