import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { after, before, beforeEach, describe, test } from 'node:test';
import { type AdminServer, type HttpLimits, startAdminServer } from '../../../src/admin/server.ts';
import { ConfigurationError } from '../../../src/core/errors.ts';
import { accepted } from '../../../src/core/operation-outcome.ts';
import type { SourceOperations } from '../../../src/core/source-operations.ts';
import type { HealthVerdict, SourceStatus } from '../../../src/core/source-status.ts';
import { PrometheusMetrics } from '../../../src/observability/prometheus-metrics.ts';
import { parseExposition } from '../../support/exposition.ts';
import { RecordingLogger } from '../supervisor/recording-logger.ts';

const SHOP: SourceStatus = {
  name: 'shop',
  type: 'postgres',
  state: 'streaming',
  since: '2026-01-02T03:04:05.000Z',
  position: '0/1A',
  lag_seconds: 0,
  changes_total: 12,
  changes_per_second: 1.5,
  in_flight_bytes: 0,
  snapshot: null,
  retained_wal_bytes: null,
  last_error: { code: 'X', message: 'It broke.', remedy: 'Mend it.', at: '2026-01-02T03:04:05.000Z' },
  retry: null,
};
const LIMITS: HttpLimits = {
  headersTimeoutMs: 300,
  requestTimeoutMs: 2_000,
  idleTimeoutMs: 2_000,
  connections: 20,
  headerBytes: 16_384,
  bodyBytes: 1_024,
};
/** Operations are tested on their own; here nothing asks for one but the list of what there is. */
const OPERATIONS = {
  operations: { snapshotStatus: () => accepted(null) } as unknown as SourceOperations,
  compilePattern: () => null,
  audit: new RecordingLogger(),
};
const OK: HealthVerdict = { ok: true, problems: [] };
const BAD: HealthVerdict = { ok: false, problems: [{ source: 'shop', state: 'failed', detail: 'X: It broke.' }] };

describe('the HTTP server', () => {
  const logger = new RecordingLogger();
  const metrics = new PrometheusMetrics({ sources: ['shop'] });
  let live = OK;
  let ready = OK;
  let render = () => metrics.render();
  let server: AdminServer;

  before(async () => {
    server = await startAdminServer(
      { host: '127.0.0.1', port: 0, tls: null, tokens: [] },
      {
        status: { statuses: () => [SHOP, { ...SHOP, name: 'b ü/c' }], live: () => live, ready: () => ready },
        renderMetrics: () => render(),
        version: '1.2.3',
        ...OPERATIONS,
      },
      logger,
      LIMITS,
    );
  });
  after(() => server.close());
  beforeEach(() => {
    live = OK;
    ready = OK;
    render = () => metrics.render();
    logger.lines.length = 0;
  });

  const get = (path: string, init: RequestInit = {}) =>
    fetch(server.url + path, { signal: AbortSignal.timeout(30_000), ...init });

  // biome-ignore lint/suspicious/noExplicitAny: JSON of any shape
  async function problemOf(response: Response, status: number): Promise<any> {
    assert.equal(response.status, status);
    assert.equal(response.headers.get('content-type'), 'application/problem+json');
    // biome-ignore lint/suspicious/noExplicitAny: JSON of any shape
    const body = (await response.json()) as any;
    assert.equal(body.status, status);
    for (const member of ['type', 'title', 'detail']) assert.equal(typeof body[member], 'string');
    return body;
  }

  test('health follows the sources', async () => {
    for (const path of ['/livez', '/readyz']) {
      const response = await get(path);
      assert.equal(response.status, 200);
      assert.deepEqual(await response.json(), { status: 'ok' });
      assert.equal(response.headers.get('cache-control'), 'no-store');
    }
    ready = BAD;
    assert.equal((await get('/livez')).status, 200);
    const body = await problemOf(await get('/readyz'), 503);
    assert.deepEqual(body.sources, BAD.problems);
    live = BAD;
    await problemOf(await get('/livez'), 503);
  });

  test('metrics are valid exposition text', async () => {
    const response = await get('/metrics');
    assert.equal(response.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
    const exposition = parseExposition(await response.text());
    assert.equal(exposition.types.get('tailrace_source_state'), 'gauge');
    assert.equal(exposition.value('tailrace_source_state', { source: 'shop', state: 'streaming' }), 0);
  });

  test('sources are listed and found by name, also by one that needs escaping', async () => {
    const list = (await (await get('/api/v1/sources')).json()) as SourceStatus[];
    assert.deepEqual(list[0], SHOP);
    assert.equal(list.length, 2);
    assert.deepEqual(await (await get('/api/v1/sources/shop')).json(), SHOP);
    const other = (await (await get(`/api/v1/sources/${encodeURIComponent('b ü/c')}`)).json()) as SourceStatus;
    assert.equal(other.name, 'b ü/c');
    const missing = await problemOf(await get('/api/v1/sources/none?x=1'), 404);
    assert.equal(missing.code, 'SOURCE_UNKNOWN');
    assert.match(missing.remedy, /shop/);
  });

  test('unknown paths, wrong methods and unreadable paths are problems', async () => {
    await problemOf(await get('/nothing'), 404);
    await problemOf(await get('/livez/'), 404);
    await problemOf(await get('/api/v1/sources/%ZZ'), 400);
    await problemOf(await get(`/api/v1/sources/${'x'.repeat(300)}`), 414);
    await problemOf(await get('/nothing', { method: 'POST', body: '{' }), 404);
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'PROPFIND']) {
      const response = await get('/api/v1/sources/shop?now', { method });
      assert.equal(response.headers.get('allow'), 'GET, HEAD', method);
      await problemOf(response, 405);
    }
    const headers = { 'content-type': 'application/json' };
    await problemOf(await get('/livez', { method: 'POST', body: '{garbage', headers }), 405);
    const head = await get('/livez', { method: 'HEAD' });
    assert.equal(head.status, 200);
    assert.equal(await head.text(), '');
  });

  test('a failing answer is a problem that gives nothing away, and a log line', async () => {
    render = () => Promise.reject(new Error('inner detail'));
    const body = await problemOf(await get('/metrics?token=abc'), 500);
    assert.ok(!JSON.stringify(body).includes('inner'));
    assert.equal(logger.lines.length, 1);
    assert.equal(logger.lines[0]?.level, 'error');
    assert.ok(!JSON.stringify(logger.lines).includes('abc'));
  });

  test('requests are not logged', async () => {
    await get('/livez?secret=1');
    await get('/nothing?secret=1');
    assert.deepEqual(logger.lines, []);
  });

  test('the OpenAPI document describes exactly what is answered', async () => {
    // biome-ignore lint/suspicious/noExplicitAny: JSON of any shape
    const document = (await (await get('/api/v1/openapi.json')).json()) as any;
    assert.match(document.openapi, /^3\.1\./);
    assert.equal(document.info.version, '1.2.3');
    const described = Object.entries<object>(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    assert.deepEqual(described.sort(), [
      'DELETE /api/v1/sources/{name}/snapshots',
      'GET /',
      'GET /api/v1/openapi.json',
      'GET /api/v1/sources',
      'GET /api/v1/sources/{name}',
      'GET /api/v1/sources/{name}/snapshots',
      'GET /livez',
      'GET /metrics',
      'GET /page/{file}',
      'GET /readyz',
      'POST /api/v1/sources/{name}/pause',
      'POST /api/v1/sources/{name}/resume',
      'POST /api/v1/sources/{name}/resync',
      'POST /api/v1/sources/{name}/snapshots',
      'POST /api/v1/sources/{name}/snapshots/pause',
      'POST /api/v1/sources/{name}/snapshots/resume',
    ]);
    const index = await (await get('/')).text();
    const ids = new Set<string>();
    for (const [path, methods] of Object.entries<object>(document.paths)) {
      for (const [method, operation] of Object.entries(methods)) {
        ids.add(operation.operationId);
        assert.match(index, new RegExp(`^${method.toUpperCase()} +${path.replace(/\{(\w+)\}/, ':$1')} `, 'm'));
        const isOpen = !path.startsWith('/api/v1/sources');
        assert.deepEqual(operation.security, isOpen ? [] : [{ token: [method === 'get' ? 'read' : 'operate'] }], path);
        assert.equal('requestBody' in operation, method !== 'get', path);
        if (method !== 'get') continue;
        const response = await get(path.replace('{name}', 'shop').replace('{file}', 'main.js'));
        assert.equal(response.status, 200, path);
        const [type] = response.headers.get('content-type')!.split(';');
        assert.ok(type! in operation.responses[200].content, path);
      }
    }
    assert.equal(ids.size, described.length);
    const references = JSON.stringify(document).matchAll(/#\/components\/schemas\/(\w+)/g);
    for (const [, name] of references) assert.ok(name! in document.components.schemas, name);
    const { properties, required } = document.components.schemas.Source;
    assert.deepEqual(Object.keys(properties).sort(), Object.keys(SHOP).sort());
    assert.deepEqual(required.toSorted(), Object.keys(SHOP).sort());
  });

  /** What comes back for raw bytes until the server closes the connection. */
  async function raw(bytes: string): Promise<string> {
    const socket = connect(server.port, '127.0.0.1');
    let answer = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      answer += chunk;
    });
    socket.setTimeout(10_000, () => socket.destroy(new Error('no answer')));
    socket.on('error', (error) => {
      if (!answer) throw error;
    });
    socket.write(bytes);
    await once(socket, 'close');
    return answer;
  }

  test('what is not HTTP is answered as a problem and the connection is closed', async () => {
    const garbage = await raw('\x16\x03\x01 hello\r\n\r\n');
    assert.match(garbage, /^HTTP\/1\.1 400 Bad Request\r\n/);
    assert.match(garbage, /application\/problem\+json/);
    const oversized = await raw(`GET / HTTP/1.1\r\nHost: x\r\nX: ${'y'.repeat(40_000)}\r\n\r\n`);
    assert.match(oversized, /^HTTP\/1\.1 431 /);
    assert.match(oversized, /"status":431/);
  });

  test('half a request holds nobody up and is closed', async () => {
    const slow = raw('GET /livez HTTP/1.1\r\nHost: x\r\nX-Slow:');
    assert.equal((await get('/livez')).status, 200);
    assert.match(await slow, /^HTTP\/1\.1 408 /);
  });

  test('a taken address names itself and the remedy', async () => {
    const view = {
      status: { statuses: () => [], live: () => OK, ready: () => OK },
      renderMetrics: () => metrics.render(),
      version: '1',
      ...OPERATIONS,
    };
    await assert.rejects(
      startAdminServer({ host: '127.0.0.1', port: server.port, tls: null, tokens: [] }, view, logger),
      (error) => {
        assert.ok(error instanceof ConfigurationError);
        assert.equal(error.code, 'HTTP_ADDRESS_IN_USE');
        assert.ok(error.message.includes(`127.0.0.1:${server.port}`));
        assert.match(error.remedy, /http\.port/);
        return true;
      },
    );
    await assert.rejects(
      startAdminServer({ host: '192.0.2.1', port: 0, tls: null, tokens: [] }, view, logger),
      (error) => error instanceof ConfigurationError && error.code === 'HTTP_ADDRESS_UNUSABLE',
    );
  });

  test('closing ends busy connections and frees the port', async () => {
    const view = {
      status: { statuses: () => [], live: () => OK, ready: () => OK },
      renderMetrics: () => new Promise<never>(() => {}),
      version: '1',
      ...OPERATIONS,
    };
    const second = await startAdminServer({ host: '127.0.0.1', port: 0, tls: null, tokens: [] }, view, logger);
    const hanging = assert.rejects(fetch(`${second.url}/metrics`));
    assert.equal((await fetch(`${second.url}/livez`)).status, 200);
    await second.close();
    await hanging;
    const probe = createServer().listen(second.port, '127.0.0.1');
    await once(probe, 'listening');
    probe.close();
  });
});
