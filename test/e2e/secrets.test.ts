import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { it } from 'node:test';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { Daemon } from '../support/daemon-process.ts';
import { createKafkaTopics } from '../support/kafka-topics.ts';
import { kafkaBrokers, postgresUrl } from '../support/services.ts';
import { awaitState, caughtUp, type TailedDatabase, tailedDatabase } from '../support/tailed-database.ts';
import { uniqueName } from '../support/unique-name.ts';

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
/** Needs percent encoding in a URL, so both forms are looked for. */
const PASSWORD = 'kumivaro/wepo@lixu';
const REGISTRY_PASSWORD = 'zanebuko-registry';
const ROW_VALUE = 'dorifane-row-value';

it('passwords and row values appear in no log line, metric, answer, command or process title', async () => {
  await using tailed = await tailedDatabase('CREATE TABLE t (id int PRIMARY KEY, v text)');
  await using role = await createRole(tailed);
  await createKafkaTopics([{ topic: tailed.topic('public.t'), config: { 'max.message.bytes': '5000' } }]);
  await using daemon = await Daemon.create({
    sources: [tailed.source({ url: withUser(tailed.database.url, role.name, '$' + '{E2E_PG_PASSWORD}') })],
    config: {
      log: { level: 'trace' },
      schema_registry: {
        url: process.env.TEST_REGISTRY_URL,
        auth: { username: 'someone', password: '$' + '{E2E_REGISTRY_PASSWORD}' },
      },
    },
    environment: {
      E2E_PG_PASSWORD: encodeURIComponent(PASSWORD),
      E2E_REGISTRY_PASSWORD: REGISTRY_PASSWORD,
    },
  });
  const seen: string[] = [];
  await daemon.start().streaming();
  await tailed.query(`INSERT INTO t VALUES (1, '${ROW_VALUE}')`);
  await caughtUp(daemon, tailed, tailed.prefix);
  const processTitle = await readFile(`/proc/${daemon.pid}/cmdline`, 'utf8');
  // A change that cannot be published: its error tells where it is and not what is in it.
  await tailed.query(`INSERT INTO t VALUES (2, repeat('${ROW_VALUE}', 1000))`);
  await awaitState(daemon, tailed.prefix, 'failed');
  for (const path of ['/', '/livez', '/readyz', '/metrics', '/api/v1/sources', `/api/v1/sources/${tailed.prefix}`]) {
    seen.push(await (await daemon.get(path)).text());
  }
  assert.equal(await daemon.stop(), 0);
  const environment = { E2E_PG_PASSWORD: encodeURIComponent(PASSWORD), E2E_REGISTRY_PASSWORD: REGISTRY_PASSWORD };
  for (const args of [['config', 'show'], ['config', 'show', '--json'], ['config', 'check'], ['check']]) {
    const { output } = await tailrace([...args, '-c', daemon.configPath], environment);
    assert.notEqual(output, '', args.join(' '));
    seen.push(output);
  }
  await assertNothingLeaked([...seen, daemon.output, processTitle], tailed);
});

it('a wrong password is told without being shown', async (t) => {
  await using tailed = await tailedDatabase('CREATE TABLE t (id int PRIMARY KEY)');
  await using role = await createRole(tailed);
  const refusing = new URL(tailed.database.url);
  if (await isTrusted(role.name, refusing))
    t.diagnostic('the server trusts this address: the password is not looked at');
  // A database that does not exist refuses also where the server trusts everybody.
  refusing.pathname = '/no_such_database';
  await using daemon = await Daemon.create({
    sources: [
      tailed.source({ url: withUser(refusing.href, role.name, encodeURIComponent(PASSWORD)) }),
      tailed.source(
        {
          url: undefined,
          host: refusing.hostname,
          port: Number(refusing.port || 5432),
          user: `no_${role.name}`,
          password: PASSWORD,
          database: 'postgres',
        },
        `${tailed.prefix}_b`,
      ),
    ],
    config: { log: { level: 'trace' }, kafka: { brokers: kafkaBrokers() } },
  });
  daemon.start();
  const seen: string[] = [];
  const { last_error } = await awaitState(daemon, tailed.prefix, 'failed');
  assert.equal(last_error?.code, 'POSTGRES_DATABASE_MISSING');
  const other = await awaitState(daemon, `${tailed.prefix}_b`, 'failed');
  assert.equal(other.last_error?.code, 'POSTGRES_AUTHENTICATION');
  seen.push(await (await daemon.get('/api/v1/sources')).text(), await (await daemon.get('/readyz')).text());
  seen.push((await tailrace(['check', '-c', daemon.configPath], {})).output);
  seen.push((await tailrace(['config', 'show', '-c', daemon.configPath], {})).output);
  await daemon.stop();
  await assertNothingLeaked([...seen, daemon.output], tailed);
});

async function assertNothingLeaked(texts: readonly string[], tailed: TailedDatabase): Promise<void> {
  const secrets = [PASSWORD, encodeURIComponent(PASSWORD), REGISTRY_PASSWORD, ROW_VALUE];
  secrets.push(...secrets.map((secret) => Buffer.from(secret).toString('base64').replace(/=+$/, '').slice(0, -1)));
  secrets.push(Buffer.from(`someone:${REGISTRY_PASSWORD}`).toString('base64').slice(0, 16));
  assert.ok(
    texts.some((text) => text.includes(tailed.prefix)),
    'there was something to look at',
  );
  for (const text of texts) {
    for (const secret of secrets) {
      const at = text.indexOf(secret);
      assert.equal(at, -1, `found a secret in: …${text.slice(Math.max(0, at - 200), at)}[here]`);
    }
  }
}

function tailrace(args: readonly string[], environment: Readonly<Record<string, string>>): Promise<{ output: string }> {
  return new Promise((resolve) => {
    const options = { env: { ...process.env, ...environment }, timeout: 120_000 };
    execFile(process.execPath, [MAIN, ...args], options, (_error, stdout, stderr) =>
      resolve({ output: `${stdout}\n${stderr}` }),
    );
  });
}

function withUser(url: string, user: string, encodedPassword: string): string {
  const { protocol, host, pathname } = new URL(url);
  return `${protocol}//${user}:${encodedPassword}@${host}${pathname}`;
}

/** A role that may do what a source needs, and nothing more than that. */
async function createRole({ database }: TailedDatabase): Promise<AsyncDisposable & { readonly name: string }> {
  const name = uniqueName('cdc');
  await database.query(`CREATE ROLE ${name} LOGIN REPLICATION PASSWORD '${PASSWORD}'`);
  await database.query(`GRANT CREATE ON DATABASE ${database.name} TO ${name}; ALTER TABLE t OWNER TO ${name}`);
  return {
    name,
    async [Symbol.asyncDispose]() {
      await database.drop();
      const server = new pg.Client({ connectionString: postgresUrl() });
      await server.connect();
      await server.query(`DROP ROLE ${name}`).finally(() => server.end());
    },
  };
}

async function isTrusted(user: string, { hostname, port, pathname }: URL): Promise<boolean> {
  const client = new pg.Client({
    host: hostname,
    port: Number(port || 5432),
    database: pathname.slice(1),
    user,
    password: 'wrong',
  });
  try {
    await client.connect();
    await client.end();
    return true;
  } catch (error) {
    if ((error as { code?: string }).code === '28P01') return false;
    throw error;
  }
}
