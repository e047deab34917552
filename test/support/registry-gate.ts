import { once } from 'node:events';
import { request as forward } from 'node:http';
import { createServer as createHttpsServer, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';

export interface RegistryGate extends AsyncDisposable {
  readonly url: string;
  /** Requests that it let through. */
  readonly passed: number;
}

/**
 * HTTPS in front of a registry that has none. It ends TLS, asks for a client certificate where `options` say so, lets pass
 * whoever sends `authorization`, and answers everybody else with 401, as a registry does.
 */
export async function openRegistryGate(
  registryUrl: string,
  options: ServerOptions,
  authorization: string | null,
): Promise<RegistryGate> {
  let passed = 0;
  const server = createHttpsServer(options, (incoming, outgoing) => {
    if (authorization !== null && incoming.headers.authorization !== authorization) {
      outgoing.writeHead(401, { 'content-type': 'application/json' });
      outgoing.end(JSON.stringify({ error_code: 401, message: 'Unauthorized' }));
      return;
    }
    passed += 1;
    const { authorization: _, host: __, ...headers } = incoming.headers;
    const target = new URL(incoming.url ?? '/', registryUrl);
    const upstream = forward(target, { method: incoming.method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    upstream.on('error', () => outgoing.destroy());
    incoming.pipe(upstream);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `https://127.0.0.1:${port}${new URL(registryUrl).pathname}`,
    get passed() {
      return passed;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
