import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { stringify } from 'yaml';
import type { NamedFinding } from '../../src/cli/application.ts';
import { CommandProcess } from '../support/command-process.ts';
import { createPostgresDatabase } from '../support/postgres-database.ts';
import { kafkaBrokers, registryUrl } from '../support/services.ts';
import { uniqueName } from '../support/unique-name.ts';

interface CheckResult {
  readonly code: number | NodeJS.Signals;
  readonly findings: readonly NamedFinding[];
  readonly stderr: string;
  readonly seconds: number;
}

/** Runs `tailrace check --json` on a configuration of one source, with other sections as given. */
async function check(url: string, sections: Readonly<Record<string, unknown>> = {}): Promise<CheckResult> {
  const directory = await mkdtemp(join(tmpdir(), 'tailrace-check-'));
  try {
    const config = {
      kafka: { brokers: kafkaBrokers() },
      schema_registry: { url: registryUrl() },
      checkpoint: { store: 'file', path: join(directory, 'state') },
      sources: [{ name: 'shop', type: 'postgres', url, snapshot: { mode: 'no_data' } }],
      ...sections,
    };
    const path = join(directory, 'tailrace.yaml');
    await writeFile(path, stringify(config));
    const startedAt = performance.now();
    await using command = new CommandProcess(['check', '-c', path, '--json']);
    const code = await command.ended();
    const seconds = (performance.now() - startedAt) / 1000;
    assert.doesNotMatch(`${command.stdout}${command.stderr}`, /\n\s+at /, 'no stack trace');
    const findings = JSON.parse(command.stdout || '[]') as NamedFinding[];
    return { code, findings, stderr: command.stderr, seconds };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** The only error of the result, which must have every subject's findings and a remedy for each. */
function onlyError({ code, findings }: CheckResult, subject: string): NamedFinding {
  assert.equal(code, 3);
  assert.deepEqual(new Set(findings.map((each) => each.subject)), SUBJECTS, 'every look is reported');
  const errors = findings.filter((each) => each.severity === 'error');
  assert.deepEqual(
    errors.map((each) => each.subject),
    [subject],
    JSON.stringify(errors),
  );
  for (const { severity, remedy } of findings) assert.ok(severity === 'ok' || remedy !== '', 'problems have remedies');
  return errors[0]!;
}

const SUBJECTS = new Set(['shop', 'kafka', 'schema registry', 'checkpoint']);

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

/** A port that nobody listens on. */
async function closedPort(): Promise<number> {
  const server = createServer();
  const port = await listening(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

test('a database that is set up right: everything is ok', async () => {
  await using database = await createPostgresDatabase({ sql: 'CREATE TABLE t (id int PRIMARY KEY)' });
  const { code, findings, stderr } = await check(database.url);
  assert.equal(code, 0, stderr);
  assert.deepEqual(new Set(findings.map((each) => each.subject)), SUBJECTS);
  assert.deepEqual(
    findings.filter((each) => each.severity === 'error'),
    [],
  );
  assert.deepEqual(await database.query('SELECT pubname FROM pg_publication'), [], 'nothing was made');
});

test('a table for signals from which none would arrive', async () => {
  await using database = await createPostgresDatabase({
    sql: `CREATE TABLE signals (id varchar(42) PRIMARY KEY, type varchar(32) NOT NULL, data text);
      CREATE TABLE numbered (id int PRIMARY KEY, type varchar(9) NOT NULL, data jsonb);
      CREATE UNLOGGED TABLE unlogged (id text, type text, data text);
      CREATE PUBLICATION updates FOR TABLE signals, numbered WITH (publish = 'update, delete')`,
  });
  const complaints = async (table: string, slot: object = {}) => {
    const source = { name: 'shop', type: 'postgres', url: database.url, snapshot: { mode: 'no_data' } };
    const { findings } = await check(database.url, { sources: [{ ...source, slot, signals: { table } }] });
    const wrong = findings.filter(({ check: name, severity }) => name.startsWith('signal_table') && severity !== 'ok');
    for (const { problem, remedy } of wrong) assert.ok(problem !== '' && remedy !== '');
    return wrong.map(({ check: name }) => name);
  };
  const byHand = { autocreate: 'disabled', publication: 'updates' };
  assert.deepEqual(await complaints('public.signals'), [], 'the source is going to publish it');
  assert.deepEqual(await complaints('public.signals', byHand), ['signal_table_published']);
  assert.deepEqual(await complaints('public.numbered', byHand), ['signal_table_columns', 'signal_table_published']);
  assert.deepEqual(await complaints('public.unlogged'), ['signal_table']);
  assert.deepEqual(await complaints('public.absent'), ['signal_table']);
});

test('a password that the server refuses', async () => {
  await using server = await passwordServer();
  const error = onlyError(await check(`postgres://cdc:wrong-pa55@127.0.0.1:${server.port}/shop`), 'shop');
  assert.match(error.problem, /28P01/);
  assert.match(error.remedy, /password/);
  assert.doesNotMatch(JSON.stringify(error), /wrong-pa55/);
});

test('a database that does not exist', async () => {
  await using database = await createPostgresDatabase();
  const error = onlyError(await check(`${database.url}_not`), 'shop');
  assert.match(error.problem, /3D000/);
  assert.match(error.remedy, /database name/);
});

test('a role without REPLICATION', async () => {
  await using database = await createPostgresDatabase({ sql: 'CREATE TABLE t (id int PRIMARY KEY)' });
  const role = uniqueName('checked');
  await database.query(
    `CREATE ROLE ${role} LOGIN; ALTER TABLE t OWNER TO ${role}; GRANT CREATE ON DATABASE ${database.name} TO ${role}`,
  );
  try {
    const url = new URL(database.url);
    url.username = role;
    const error = onlyError(await check(url.href), 'shop');
    assert.equal(error.check, 'replication_privilege');
    assert.match(error.remedy, new RegExp(`ALTER ROLE ${role} REPLICATION`));
  } finally {
    await database.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
  }
});

test('a table without replica identity is a warning, and the check passes', async () => {
  await using database = await createPostgresDatabase({ sql: 'CREATE TABLE bare (x int)' });
  const { code, findings } = await check(database.url);
  assert.equal(code, 0);
  const found = findings.find((each) => each.check === 'replica_identity');
  assert.equal(found?.severity, 'warning');
  assert.match(found!.problem, /public\.bare/);
  assert.match(found!.remedy, /primary key/);
});

test('Kafka that is down is one finding of its own and one of the checkpoint in it', async () => {
  await using database = await createPostgresDatabase();
  const address = `127.0.0.1:${await closedPort()}`;
  const sections = { kafka: { brokers: [address] } };
  const error = onlyError(await check(database.url, sections), 'kafka');
  assert.ok(error.problem.includes(address), error.problem);
  const checkpoint = { store: 'kafka', topic: 'tailrace-checkpoints' };
  const { code, findings, seconds } = await check(database.url, { ...sections, checkpoint });
  assert.equal(code, 3);
  assert.deepEqual(
    findings.filter((each) => each.severity === 'error').map((each) => each.subject),
    ['kafka', 'checkpoint'],
  );
  assert.ok(findings.some((each) => each.subject === 'schema registry' && each.severity === 'ok'));
  assert.ok(seconds < 40, `ends within its deadline, not after ${seconds} s`);
});

test('a registry that is down', async () => {
  await using database = await createPostgresDatabase();
  const url = `http://127.0.0.1:${await closedPort()}`;
  const error = onlyError(await check(database.url, { schema_registry: { url } }), 'schema registry');
  assert.ok(error.problem.includes(url) && error.problem.includes('ECONNREFUSED'), error.problem);
});

for (const [status, remedy] of [
  [401, /schema_registry\.auth/],
  [403, /schema_registry\.auth/],
  [404, /schema_registry\.url/],
] as const) {
  test(`a registry that answers ${status}`, async () => {
    await using database = await createPostgresDatabase();
    const server = createHttpServer((_request, response) => response.writeHead(status).end('no'));
    const url = `http://127.0.0.1:${await listening(server)}`;
    try {
      const error = onlyError(await check(database.url, { schema_registry: { url } }), 'schema registry');
      assert.match(error.problem, new RegExp(`HTTP ${status}`));
      assert.match(error.remedy, remedy);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
}

test('a checkpoint directory below a file', async () => {
  await using database = await createPostgresDatabase();
  const checkpoint = { store: 'file', path: `${import.meta.filename}/state` };
  const error = onlyError(await check(database.url, { checkpoint }), 'checkpoint');
  assert.match(error.problem, /ENOTDIR/);
  assert.match(error.remedy, /checkpoint\.path/);
});

interface PasswordServer extends AsyncDisposable {
  readonly port: number;
}

/** Speaks just enough of Postgres' protocol to ask for a password and refuse it: test servers trust everybody. */
async function passwordServer(): Promise<PasswordServer> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('data', (bytes) => {
      const sslRequest = bytes.length === 8 && bytes.readInt32BE(4) === 80_877_103;
      if (sslRequest) socket.write('N');
      else if (bytes[0] === 'p'.charCodeAt(0)) socket.end(refusal());
      // AuthenticationCleartextPassword.
      else socket.write(Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 3]));
    });
  });
  const port = await listening(server);
  return {
    port,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

function refusal(): Buffer {
  const fields = Buffer.from('SFATAL\0VFATAL\0C28P01\0Mpassword authentication failed for user "cdc"\0\0', 'latin1');
  const head = Buffer.alloc(5);
  head.write('E', 0);
  head.writeInt32BE(fields.length + 4, 1);
  return Buffer.concat([head, fields]);
}
