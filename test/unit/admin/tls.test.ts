import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startAdminServer } from '../../../src/admin/server.ts';
import { AdminClient } from '../../../src/cli/admin-client.ts';
import { ConfigurationError, TransientError } from '../../../src/core/errors.ts';
import { accepted } from '../../../src/core/operation-outcome.ts';
import { Secret } from '../../../src/core/secret.ts';
import type { SourceOperations } from '../../../src/core/source-operations.ts';
import { type SelfSignedCertificate, selfSignedCertificate } from '../../support/self-signed-certificate.ts';
import { RecordingLogger } from '../supervisor/recording-logger.ts';

function start({ cert, key }: SelfSignedCertificate) {
  const logger = new RecordingLogger();
  return startAdminServer(
    { host: '127.0.0.1', port: 0, tls: { cert, key: new Secret(key) }, tokens: [] },
    {
      status: {
        statuses: () => [],
        live: () => ({ ok: true, problems: [] }),
        ready: () => ({ ok: true, problems: [] }),
      },
      operations: { snapshotStatus: () => accepted(null) } as unknown as SourceOperations,
      compilePattern: () => null,
      audit: logger,
      renderMetrics: async () => ({ contentType: 'text/plain', body: '' }),
      version: '1',
    },
    logger,
  );
}

test('HTTPS is served with the certificate, and the client takes that one and no other', async () => {
  // The name is that of the machine, not the address at which the command asks.
  const own = selfSignedCertificate('tailrace.example');
  const server = await start(own);
  try {
    assert.match(server.url, /^https:\/\/127\.0\.0\.1:/);
    const ask = (cert: string | null) =>
      new AdminClient({ url: server.url, token: null, cert }).request('GET', '/livez');
    assert.deepEqual(await ask(own.cert), { status: 'ok' });
    for (const cert of [null, selfSignedCertificate('tailrace.example').cert]) {
      await assert.rejects(ask(cert), (error) => {
        assert.ok(error instanceof TransientError);
        assert.equal(error.code, 'DAEMON_UNREACHABLE');
        assert.match(error.remedy, /certificate/);
        return true;
      });
    }
    const plain = new AdminClient({ url: server.url.replace('https', 'http'), token: null, cert: null });
    await assert.rejects(plain.request('GET', '/livez'), TransientError);
  } finally {
    await server.close();
  }
});

test('a certificate whose key is another one is a configuration error', async () => {
  const { cert } = selfSignedCertificate('a');
  const { key } = selfSignedCertificate('b');
  for (const pair of [
    { cert, key },
    { cert: 'no PEM', key },
  ]) {
    await assert.rejects(
      start(pair),
      (error) => error instanceof ConfigurationError && error.code === 'HTTP_TLS_UNUSABLE',
    );
  }
});
