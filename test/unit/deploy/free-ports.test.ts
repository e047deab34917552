import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { freePorts, listenRange } from '../../../deploy/local/free-ports.ts';

test('listens below the ports of outgoing connections', () => {
  assert.deepEqual(listenRange({ from: 32_768, to: 60_999 }), { from: 10_000, to: 32_767 });
  assert.deepEqual(listenRange({ from: 16_384, to: 65_535 }), { from: 10_000, to: 16_383 });
});

test('listens above them where there is no room below', () => {
  assert.deepEqual(listenRange({ from: 1_024, to: 50_000 }), { from: 50_001, to: 65_535 });
});

test('listens among them where they are everywhere', () => {
  assert.deepEqual(listenRange({ from: 1_024, to: 65_535 }), { from: 20_000, to: 32_000 });
});

test('gives ports that are free, and none twice', async () => {
  const [first, second] = await freePorts(2);
  const next = await freePorts(20);
  assert.equal(new Set([first, second, ...next]).size, 22);
});

test('leaves out a port that someone listens on', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen({ host: '127.0.0.1', port: 0 }, resolve));
  try {
    const { port } = server.address() as { port: number };
    await assert.rejects(freePorts(1, { from: port, to: port }), /no 1 free ports/);
  } finally {
    server.close();
  }
});
