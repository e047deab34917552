import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { HttpClient } from '../../../src/avro/http-client.ts';

type Answer = (response: ServerResponse, requestOfConnection: number) => void;

async function withServer(answer: Answer, play: (url: URL, client: HttpClient) => Promise<void>): Promise<void> {
  const requests = new WeakMap<object, number>();
  const server: Server = createServer((request, response) => {
    const count = (requests.get(request.socket) ?? 0) + 1;
    requests.set(request.socket, count);
    answer(response, count);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const client = new HttpClient(null);
  try {
    await play(new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`), client);
  } finally {
    client.close();
    server.closeAllConnections();
    server.close();
  }
}

const GET = { method: 'GET', headers: {}, body: null };

test('a connection is used again, and made anew where the server has closed it meanwhile', async () => {
  const seen: number[] = [];
  await withServer(
    (response, count) => {
      seen.push(count);
      if (count === 3) response.destroy();
      else response.end(`request ${count}`);
    },
    async (url, client) => {
      const signal = AbortSignal.timeout(5_000);
      const texts = [];
      for (let i = 0; i < 3; i++) texts.push((await client.ask(url, GET, signal)).text);
      assert.deepEqual(texts, ['request 1', 'request 2', 'request 1']);
      assert.deepEqual(seen, [1, 2, 3, 1]);
    },
  );
});

test('a server that hangs up on a new connection is an error', async () => {
  await withServer(
    (response) => response.destroy(),
    (url, client) => assert.rejects(client.ask(url, GET, AbortSignal.timeout(5_000)), { code: 'ECONNRESET' }),
  );
});

test('a deadline ends an answer that never ends', async () => {
  await withServer(
    (response) => response.write('begins'),
    (url, client) => assert.rejects(client.ask(url, GET, AbortSignal.timeout(100)), { name: 'TimeoutError' }),
  );
});
