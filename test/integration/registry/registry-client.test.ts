import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { RegistryClient } from '../../../src/avro/registry-client.ts';
import { RegistryRefusal, RegistryUnreachableError } from '../../../src/avro/registry-errors.ts';
import type { Labels, Metrics } from '../../../src/core/metrics.ts';
import { Secret } from '../../../src/core/secret.ts';
import type { RegistrySettings } from '../../../src/core/settings.ts';

const { signal } = new AbortController();

type Handler = (request: IncomingMessage, body: string, response: ServerResponse) => void;

async function server(context: TestContext, handler: Handler): Promise<string> {
  const listening = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (chunk: string) => {
      body += chunk;
    });
    request.on('end', () => handler(request, body, response));
  });
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
  context.after(() => {
    listening.closeAllConnections();
    listening.close();
  });
  return `http://127.0.0.1:${(listening.address() as AddressInfo).port}`;
}

/** A port that nobody listens on. */
async function closedPort(context: TestContext): Promise<string> {
  const listening = createServer();
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
  const { port } = listening.address() as AddressInfo;
  await new Promise((resolve) => listening.close(resolve));
  context.diagnostic(`closed port ${port}`);
  return `http://127.0.0.1:${port}`;
}

function client(context: TestContext, settings: Partial<RegistrySettings>) {
  const outcomes: Record<string, number> = {};
  const bind = ({ outcome = '' }: Labels) => ({
    add: (value: number) => {
      outcomes[outcome] = (outcomes[outcome] ?? 0) + value;
    },
  });
  const metrics = { counter: () => ({ bind }) } as unknown as Metrics;
  const registry = new RegistryClient(
    {
      urls: [],
      auth: { kind: 'none' },
      tls: null,
      requestTimeoutMs: 300,
      onIncompatible: 'fail',
      subjectNaming: 'topic_name',
      ...settings,
    },
    metrics,
  );
  context.after(() => registry[Symbol.asyncDispose]());
  return { registry, outcomes };
}

const json = (response: ServerResponse, status: number, body: unknown): void => {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
};

describe('RegistryClient', () => {
  it('sends the schema and the credentials, with the subject escaped', async (context) => {
    const seen: unknown[] = [];
    const url = await server(context, (request, body, response) => {
      seen.push([request.method, request.url, request.headers.authorization, JSON.parse(body)]);
      json(response, 200, { id: 77 });
    });
    const basic = client(context, {
      urls: [`${url}/apis/ccompat/v7/`],
      auth: { kind: 'basic', username: 'u', password: new Secret('pä') },
    });
    assert.equal(await basic.registry.register('a b/c-value', '"int"', signal), 77);
    const bearer = client(context, { urls: [url], auth: { kind: 'bearer', token: new Secret('t') } });
    assert.equal(await bearer.registry.lookUp('s', '"int"', signal), 77);
    const encoded = Buffer.from('u:pä').toString('base64');
    assert.deepEqual(seen, [
      ['POST', '/apis/ccompat/v7/subjects/a%20b%2Fc-value/versions', `Basic ${encoded}`, { schema: '"int"' }],
      ['POST', '/subjects/s', 'Bearer t', { schema: '"int"' }],
    ]);
    assert.deepEqual(basic.outcomes, { ok: 1 });
  });

  it('goes to the next URL when one refuses, hangs or fails, and stays there', async (context) => {
    let hung = 0;
    let failed = 0;
    const hanging = await server(context, () => {
      hung += 1;
    });
    const failing = await server(context, (_request, _body, response) => {
      failed += 1;
      json(response, 503, { error_code: 50302, message: 'no leader' });
    });
    const working = await server(context, (_request, _body, response) =>
      json(response, 200, { compatibilityLevel: 'FULL' }),
    );
    const { registry, outcomes } = client(context, {
      urls: [await closedPort(context), hanging, failing, working],
    });
    assert.equal(await registry.globalCompatibility(signal), 'FULL');
    assert.equal(await registry.globalCompatibility(signal), 'FULL');
    assert.deepEqual([hung, failed], [1, 1]);
    assert.deepEqual(outcomes, { unreachable: 3, ok: 2 });
  });

  it('fails within its deadline when no URL answers, naming each without its credentials', async (context) => {
    const hanging = await server(context, () => {});
    const refused = await closedPort(context);
    const { registry } = client(context, { urls: [hanging, refused.replace('//', '//user:secret@')] });
    const started = Date.now();
    await assert.rejects(registry.register('s', '"int"', signal), (error: RegistryUnreachableError) => {
      assert.ok(error instanceof RegistryUnreachableError);
      assert.equal(error.errorClass, 'transient');
      assert.ok(error.message.includes(hanging) && error.message.includes(refused), error.message);
      assert.ok(!error.message.includes('secret'));
      return true;
    });
    assert.ok(Date.now() - started < 3000);
  });

  it('counts an answer that stalls half-way as none', async (context) => {
    const stalling = await server(context, (_request, _body, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.write('{"id":');
    });
    const { registry } = client(context, { urls: [stalling] });
    await assert.rejects(registry.register('s', '"int"', signal), RegistryUnreachableError);
  });

  it('stops at once with the reason of its signal', async (context) => {
    const stop = new AbortController();
    const hanging = await server(context, () => stop.abort(new Error('stopping')));
    const { registry, outcomes } = client(context, { urls: [hanging, hanging], requestTimeoutMs: 60_000 });
    await assert.rejects(registry.register('s', '"int"', stop.signal), /stopping/);
    assert.deepEqual(outcomes, {});
  });

  it('tells a missing subject from a path that is no registry', async (context) => {
    const url = await server(context, (request, _body, response) => {
      if (request.url?.startsWith('/registry/'))
        json(response, 404, { error_code: 40401, message: 'Subject not found' });
      else response.writeHead(404).end('<html>not here</html>');
    });
    const right = client(context, { urls: [`${url}/registry`] });
    assert.equal(await right.registry.lookUp('s', '"int"', signal), null);
    assert.deepEqual(await right.registry.checkCompatibility('s', '"int"', signal), { compatible: true, reasons: [] });
    assert.deepEqual(right.outcomes, { not_found: 2 });
    const wrong = client(context, { urls: [url] });
    await assert.rejects(
      wrong.registry.lookUp('s', '"int"', signal),
      (error: RegistryRefusal) => error instanceof RegistryRefusal && error.status === 404 && !error.isNotFound,
    );
  });

  it('keeps the error code and never asks a second URL after a refusal', async (context) => {
    let asked = 0;
    const other = await server(context, (_request, _body, response) => {
      asked += 1;
      json(response, 200, { id: 1 });
    });
    const refusing = await server(context, (_request, _body, response) =>
      json(response, 422, { error_code: 42201, message: 'x'.repeat(2000) }),
    );
    const { registry, outcomes } = client(context, { urls: [refusing, other] });
    await assert.rejects(registry.register('s', '"int"', signal), (error: RegistryRefusal) => {
      assert.equal(error.errorCode, 42201);
      assert.ok(error.message.length < 600);
      return true;
    });
    assert.equal(asked, 0);
    assert.deepEqual(outcomes, { refused: 1 });
  });

  it('reads the reasons of both kinds of registry', async (context) => {
    const url = await server(context, (request, _body, response) => {
      const verbose = request.url?.includes('confluent') ? { messages: ['a', 'b'] } : { reason: 'c' };
      json(response, 200, { is_compatible: false, ...verbose });
    });
    const { registry } = client(context, { urls: [url] });
    assert.deepEqual((await registry.checkCompatibility('confluent', '"int"', signal)).reasons, ['a', 'b']);
    assert.deepEqual((await registry.checkCompatibility('apicurio', '"int"', signal)).reasons, ['c']);
  });
});
