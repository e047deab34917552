import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { request } from 'node:http';
import { after, before, beforeEach, describe, test } from 'node:test';
import { type AdminServer, startAdminServer } from '../../../src/admin/server.ts';
import { compilePattern } from '../../../src/config/pattern.ts';
import { accepted, conflict, invalid, type OperationOutcome, unknown } from '../../../src/core/operation-outcome.ts';
import { Secret } from '../../../src/core/secret.ts';
import type { SnapshotRequest } from '../../../src/core/snapshot-control.ts';
import type { SnapshotStatus } from '../../../src/core/snapshot-status.ts';
import type { SourceOperations } from '../../../src/core/source-operations.ts';
import type { SourceStatus } from '../../../src/core/source-status.ts';
import { RecordingLogger } from '../supervisor/recording-logger.ts';

const SHOP: SourceStatus = {
  name: 'shop',
  type: 'postgres',
  state: 'paused',
  since: '2026-01-02T03:04:05.000Z',
  position: null,
  lag_seconds: null,
  changes_total: 0,
  changes_per_second: 0,
  in_flight_bytes: 0,
  snapshot: null,
  retained_wal_bytes: null,
  last_error: null,
  retry: null,
};
const SNAPSHOT: SnapshotStatus = {
  state: 'running',
  waiting_for: null,
  started_at: '2026-01-02T03:04:05.000Z',
  ended_at: null,
  tables: [],
};

/** What was asked for, and what is answered next. */
class FakeOperations implements SourceOperations {
  readonly asked: unknown[] = [];
  refusal: OperationOutcome<never> | null = null;
  fault: Error | null = null;

  readonly pause = async (name: string) => this.#answer(['pause', name], SHOP);
  readonly resume = async (name: string) => this.#answer(['resume', name], SHOP);
  readonly resync = async (name: string) => this.#answer(['resync', name], SHOP);
  readonly startSnapshot = async (name: string, { tables, where }: SnapshotRequest) =>
    this.#answer(['start', name, tables?.map(String) ?? null, where], SNAPSHOT);
  readonly snapshotStatus = (name: string) =>
    name === 'shop' ? accepted(SNAPSHOT) : unknown('SOURCE_UNKNOWN', 'No such source.', 'Name another.');
  readonly pauseSnapshot = async (name: string) => this.#answer(['pause snapshot', name], SNAPSHOT);
  readonly resumeSnapshot = async (name: string) => this.#answer(['resume snapshot', name], SNAPSHOT);
  readonly stopSnapshot = async (name: string) => this.#answer(['stop snapshot', name], SNAPSHOT);

  #answer<T>(asked: unknown[], value: T): OperationOutcome<T> {
    this.asked.push(asked);
    if (this.fault !== null) throw this.fault;
    return this.refusal ?? accepted(value);
  }
}

const operations = new FakeOperations();
const logger = new RecordingLogger();
const audit = new RecordingLogger();

function start(tokens: readonly { name: string; role: 'read' | 'operate'; token: string }[]): Promise<AdminServer> {
  const hashed = tokens.map(({ name, role, token }) => ({
    name,
    role,
    sha256: new Secret(createHash('sha256').update(token).digest('hex')),
  }));
  return startAdminServer(
    { host: '127.0.0.1', port: 0, tls: null, tokens: hashed },
    {
      status: {
        statuses: () => [SHOP],
        live: () => ({ ok: true, problems: [] }),
        ready: () => ({ ok: true, problems: [] }),
      },
      operations,
      compilePattern,
      audit,
      renderMetrics: async () => ({ contentType: 'text/plain', body: '' }),
      version: '1.2.3',
    },
    logger,
  );
}

interface Received {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  // biome-ignore lint/suspicious/noExplicitAny: JSON of any shape
  readonly body: any;
}

interface Sent {
  readonly body?: unknown;
  readonly text?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Not `fetch`: that sets headers of its own and refuses others, such as Host. */
async function send(server: AdminServer, method: string, path: string, { body, text, headers }: Sent = {}) {
  const payload = text ?? (body === undefined ? undefined : JSON.stringify(body));
  const json = body === undefined ? {} : { 'content-type': 'application/json' };
  return new Promise<Received>((resolve, reject) => {
    const outgoing = request(
      { host: '127.0.0.1', port: server.port, method, path, headers: { ...json, ...headers }, agent: false },
      (response) => {
        let answer = '';
        response.setEncoding('utf8').on('data', (chunk: string) => {
          answer += chunk;
        });
        response.on('end', () =>
          resolve({ status: response.statusCode!, headers: response.headers, body: JSON.parse(answer) }),
        );
      },
    );
    outgoing.setTimeout(5_000, () => outgoing.destroy(new Error('no answer')));
    outgoing.on('error', reject);
    outgoing.end(payload);
  });
}

beforeEach(() => {
  operations.asked.length = 0;
  operations.refusal = null;
  operations.fault = null;
  logger.lines.length = 0;
  audit.lines.length = 0;
});

const AT = '/api/v1/sources/shop';

describe('operations over HTTP', () => {
  let server: AdminServer;
  before(async () => {
    server = await start([]);
  });
  after(() => server.close());

  test('each is carried out and answered with what it came to', async () => {
    const cases = [
      ['POST', `${AT}/pause`, undefined, 200, SHOP, ['pause', 'shop']],
      ['POST', `${AT}/resume`, {}, 200, SHOP, ['resume', 'shop']],
      ['POST', `${AT}/resync`, { confirm: 'shop' }, 202, SHOP, ['resync', 'shop']],
      ['POST', `${AT}/snapshots`, undefined, 202, SNAPSHOT, ['start', 'shop', null, null]],
      ['POST', `${AT}/snapshots`, { tables: null, where: null }, 202, SNAPSHOT, ['start', 'shop', null, null]],
      [
        'POST',
        `${AT}/snapshots`,
        { tables: ['public\\.o', 'b.*|c'], where: 'id > 5' },
        202,
        SNAPSHOT,
        ['start', 'shop', ['/^(?:public\\.o)$/u', '/^(?:b.*|c)$/u'], 'id > 5'],
      ],
      ['POST', `${AT}/snapshots/pause`, undefined, 200, SNAPSHOT, ['pause snapshot', 'shop']],
      ['POST', `${AT}/snapshots/resume`, undefined, 200, SNAPSHOT, ['resume snapshot', 'shop']],
      ['DELETE', `${AT}/snapshots`, undefined, 200, SNAPSHOT, ['stop snapshot', 'shop']],
      ['POST', '/api/v1/sources/a%2Fb/pause', undefined, 200, SHOP, ['pause', 'a/b']],
    ] as const;
    for (const [method, path, body, status, answer, asked] of cases) {
      const response = await send(server, method, path, { body });
      assert.deepEqual([response.status, response.body], [status, answer], path);
      assert.deepEqual(operations.asked.pop(), asked);
    }
    assert.deepEqual((await send(server, 'GET', `${AT}/snapshots`)).body, SNAPSHOT);
    assert.equal((await send(server, 'GET', '/api/v1/sources/none/snapshots')).status, 404);
  });

  test('a body that says that it is JSON and is empty is no body', async () => {
    const headers = { 'content-type': 'application/json' };
    assert.equal((await send(server, 'POST', `${AT}/pause`, { text: '', headers })).status, 200);
    assert.equal((await send(server, 'DELETE', `${AT}/snapshots`, { text: '', headers })).status, 200);
  });

  test('a refusal is a problem whose status is that of its kind', async () => {
    const refusals = [
      [unknown('SOURCE_UNKNOWN', 'None.', 'Name another.'), 404, 'Not Found'],
      [conflict('SOURCE_NOT_PAUSED', 'It runs.', 'Nothing.'), 409, 'Conflict'],
      [invalid('SNAPSHOT_NO_TABLE', 'None matches.', 'Widen it.', 'tables'), 400, 'Bad Request'],
    ] as const;
    for (const [refusal, status, title] of refusals) {
      operations.refusal = refusal;
      const response = await send(server, 'POST', `${AT}/resume`);
      assert.ok(!refusal.ok);
      assert.equal(response.status, status);
      assert.equal(response.headers['content-type'], 'application/problem+json');
      const { code, message, remedy, field } = refusal.refusal;
      const more = field === undefined ? {} : { field };
      assert.deepEqual(response.body, { type: 'about:blank', title, status, detail: message, code, remedy, ...more });
    }
  });

  test('a wrong body is refused naming the member, and nothing is carried out', async () => {
    const cases: [path: string, sent: Sent, field: string, detail: RegExp][] = [
      [`${AT}/resync`, {}, 'confirm', /is missing/],
      [`${AT}/resync`, { body: {} }, 'confirm', /is missing/],
      [`${AT}/resync`, { body: { confirm: 'shp' } }, 'confirm', /not the name/],
      [`${AT}/resync`, { body: { confirm: 1 } }, 'confirm', /string/],
      [`${AT}/resync`, { body: { confirm: 'shop', force: true } }, 'force', /not known/],
      [`${AT}/pause`, { body: { now: true } }, 'now', /not known/],
      [`${AT}/pause`, { body: [] }, '', /object/],
      [`${AT}/snapshots`, { body: { tables: 'public.t' } }, 'tables', /array or null/],
      [`${AT}/snapshots`, { body: { tables: [] } }, 'tables', /empty/],
      [`${AT}/snapshots`, { body: { tables: ['a', 5] } }, 'tables[1]', /string/],
      [`${AT}/snapshots`, { body: { tables: ['a', '('] } }, 'tables[1]', /regular expression/],
      [`${AT}/snapshots`, { body: { where: '' } }, 'where', /empty/],
      [`${AT}/snapshots`, { body: { filter: 'x' } }, 'filter', /not known/],
      [
        `${AT}/snapshots`,
        { text: '{"tables":', headers: { 'content-type': 'application/json' } },
        '',
        /not valid JSON/,
      ],
      [`${AT}/snapshots`, { text: '{"__proto__":{}}', headers: { 'content-type': 'application/json' } }, '', /JSON/],
    ];
    for (const [path, sent, field, detail] of cases) {
      const response = await send(server, 'POST', path, sent);
      const what = JSON.stringify(sent);
      assert.deepEqual([response.status, response.body.field], [400, field], what);
      assert.match(response.body.detail, detail, what);
      assert.equal(response.headers['content-type'], 'application/problem+json');
    }
    assert.deepEqual(operations.asked, []);
    const form = { text: 'a=b', headers: { 'content-type': 'application/x-www-form-urlencoded' } };
    const response = await send(server, 'POST', `${AT}/pause`, form);
    assert.equal(response.status, 415);
    assert.match(response.body.detail, /application\/json/);
    const large = { body: { tables: ['x'.repeat(70_000)] } };
    assert.equal((await send(server, 'POST', `${AT}/snapshots`, large)).status, 413);
  });

  test('a wrong method is told which there are', async () => {
    const cases = [
      ['GET', `${AT}/pause`, 'POST'],
      ['PUT', `${AT}/snapshots`, 'GET, HEAD, POST, DELETE'],
      ['DELETE', `${AT}/snapshots/pause`, 'POST'],
      ['POST', AT, 'GET, HEAD'],
    ] as const;
    for (const [method, path, allow] of cases) {
      const response = await send(server, method, path);
      assert.deepEqual([response.status, response.headers.allow], [405, allow], path);
    }
  });

  test('each operation is in the audit log, before it and with what it came to', async () => {
    await send(server, 'POST', `${AT}/pause`);
    operations.refusal = conflict('SOURCE_NOT_PAUSED', 'It runs.', 'Nothing.');
    await send(server, 'POST', `${AT}/resume`);
    operations.refusal = null;
    operations.fault = new Error('inner detail');
    const failed = await send(server, 'DELETE', `${AT}/snapshots`);
    assert.equal(failed.status, 500);
    assert.ok(!JSON.stringify(failed.body).includes('inner'));
    const who = { who: 'loopback', source: 'shop' };
    assert.deepEqual(
      audit.lines.map(({ fields }) => ({ ...fields, error: undefined })),
      [
        { ...who, operation: 'pause', outcome: 'asked', error: undefined },
        { ...who, operation: 'pause', outcome: 'done', error: undefined },
        { ...who, operation: 'resume', outcome: 'asked', error: undefined },
        { ...who, operation: 'resume', outcome: 'refused', code: 'SOURCE_NOT_PAUSED', error: undefined },
        { ...who, operation: 'snapshot stop', outcome: 'asked', error: undefined },
        { ...who, operation: 'snapshot stop', outcome: 'failed', error: undefined },
      ],
    );
    await send(server, 'GET', AT);
    assert.equal(audit.lines.length, 6, 'looking is no operation');
  });

  test('a page of another site can neither look nor operate', async () => {
    const port = server.port;
    const foreign: Readonly<Record<string, string>>[] = [
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { origin: `http://127.0.0.1:${port + 1}` },
      // DNS rebinding: the page believes to be at home.
      { origin: `http://evil.example:${port}`, host: `evil.example:${port}` },
      { 'sec-fetch-site': 'same-origin', host: `evil.example:${port}` },
    ];
    for (const headers of foreign) {
      for (const [method, path] of [['POST', `${AT}/pause`] as const, ['GET', AT] as const]) {
        const response = await send(server, method, path, { headers });
        assert.equal(response.status, 403, JSON.stringify(headers));
      }
    }
    assert.deepEqual(operations.asked, []);
    const own: Readonly<Record<string, string>>[] = [
      { origin: `http://127.0.0.1:${port}` },
      { origin: 'http://localhost:9000', host: 'localhost:9000', 'sec-fetch-site': 'same-origin' },
      { host: 'any.name' },
    ];
    for (const headers of own) {
      assert.equal((await send(server, 'POST', `${AT}/pause`, { headers })).status, 200, JSON.stringify(headers));
    }
  });
});

describe('tokens', () => {
  let server: AdminServer;
  before(async () => {
    server = await start([
      { name: 'grafana', role: 'read', token: 'reading-token' },
      { name: 'ops', role: 'operate', token: 'operating-token' },
    ]);
  });
  after(() => server.close());
  const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });

  test('health, metrics and the description need none', async () => {
    for (const path of ['/livez', '/readyz', '/api/v1/openapi.json']) {
      assert.equal((await send(server, 'GET', path)).status, 200, path);
    }
    assert.equal((await fetch(`${server.url}/metrics`)).status, 200);
  });

  test('without one of them nothing is shown or done, and the body is not read', async () => {
    const headers: Readonly<Record<string, string>>[] = [
      {},
      { authorization: 'Bearer wrong' },
      { authorization: 'Bearer ' },
      { authorization: 'Bearer reading-toke' },
      { authorization: 'Basic cmVhZGluZy10b2tlbg==' },
      { authorization: 'reading-token' },
    ];
    for (const each of headers) {
      for (const [method, path] of [['GET', AT] as const, ['POST', `${AT}/pause`] as const]) {
        const response = await send(server, method, path, { headers: each });
        assert.equal(response.status, 401, JSON.stringify(each));
        assert.match(String(response.headers['www-authenticate']), /^Bearer/);
      }
    }
    assert.equal((await send(server, 'POST', `${AT}/snapshots`, { text: '{' })).status, 401);
    assert.equal((await fetch(server.url + AT, { method: 'HEAD' })).status, 401);
    assert.deepEqual(operations.asked, []);
    assert.ok(audit.lines.every(({ fields }) => fields.outcome === 'denied'));
    assert.equal(audit.lines.length, headers.length + 1);
  });

  test('a reading token looks, an operating one does everything, and the audit log has names only', async () => {
    assert.equal((await send(server, 'GET', AT, bearer('reading-token'))).status, 200);
    assert.equal((await send(server, 'GET', `${AT}/snapshots`, bearer('reading-token'))).status, 200);
    const denied = await send(server, 'POST', `${AT}/pause`, bearer('reading-token'));
    assert.equal(denied.status, 403);
    assert.match(denied.body.detail, /grafana may only read/);
    assert.deepEqual(operations.asked, []);
    assert.equal((await send(server, 'GET', AT, bearer('operating-token'))).status, 200);
    assert.equal((await send(server, 'POST', `${AT}/pause`, bearer('operating-token'))).status, 200);
    assert.deepEqual(operations.asked, [['pause', 'shop']]);
    assert.equal(audit.lines.at(-1)?.fields.who, 'ops');
    assert.doesNotMatch(JSON.stringify([...audit.lines, ...logger.lines]), /-token/);
  });

  test('a page of another site with a token is as good as any other program', async () => {
    const headers = { ...bearer('operating-token').headers, origin: 'https://console.example' };
    assert.equal((await send(server, 'POST', `${AT}/pause`, { headers })).status, 200);
  });
});
