import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { test } from 'node:test';
import { checkAll } from '../../../src/app/check-all.ts';
import type { Settings } from '../../../src/core/settings.ts';

test('what does not answer in time is a finding, and holds up no other', async () => {
  const sockets = new Set<Socket>();
  const silent = createServer((socket) => sockets.add(socket));
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const { port } = silent.address() as AddressInfo;
  const directory = await mkdtemp(`${tmpdir()}/tailrace-check-`);
  try {
    const findings = await checkAll(settings(port, directory), {}, 300);
    assert.deepEqual(
      findings.map(({ subject, check, severity }) => [subject, check, severity]),
      [
        ['kafka', 'NO_ANSWER', 'error'],
        ['schema registry', 'NO_ANSWER', 'error'],
        ['checkpoint', 'store', 'ok'],
      ],
    );
    assert.match(findings[0]!.problem, /within 0\.3 s/);
  } finally {
    for (const socket of sockets) socket.destroy();
    silent.close();
    await rm(directory, { recursive: true });
  }
});

function settings(port: number, directory: string): Settings {
  return {
    kafka: {
      brokers: [`127.0.0.1:${port}`],
      tls: null,
      sasl: null,
      compression: 'none',
      maxInFlightBytes: 1024,
      deliveryTimeoutMs: 5_000,
      requestTimeoutMs: 5_000,
      topics: [],
    },
    schemaRegistry: {
      urls: [`http://127.0.0.1:${port}`],
      auth: { kind: 'none' },
      tls: null,
      requestTimeoutMs: 5_000,
      onIncompatible: 'fail',
      subjectNaming: 'topic_name',
    },
    checkpoint: { store: 'file', path: directory, intervalMs: 1000 },
    http: { host: '127.0.0.1', port: 0, tls: null, tokens: [] },
    log: { level: 'error' },
    sources: [],
  };
}
