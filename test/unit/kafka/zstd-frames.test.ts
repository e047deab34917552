import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { zstdDecompressSync } from 'node:zlib';
import { createCompressor } from '../../../src/kafka/compression.ts';
import { ZstdFrames } from '../../../src/kafka/zstd-frames.ts';

/** Bytes that cannot be made smaller. */
function noise(bytes: number): Buffer {
  const parts = Array.from({ length: Math.ceil(bytes / 64) }, (_, i) => createHash('sha512').update(`${i}`).digest());
  return Buffer.concat(parts).subarray(0, bytes);
}

test('one context gives one frame after another, each whole by itself and valid for good', async () => {
  const frames = new ZstdFrames({});
  const mixed = Buffer.concat([noise(700_000), Buffer.alloc(100_000)]);
  const inputs = [Buffer.from('row '.repeat(50_000)), mixed, Buffer.from('row '.repeat(90))];
  const outputs: Buffer[] = [];
  for (const input of inputs) outputs.push(await frames.compress(input));
  for (const [i, output] of outputs.entries()) assert.deepEqual(zstdDecompressSync(output), inputs[i]);
  assert.ok(outputs[0]!.length < 1_000);
  assert.ok(frames.usable);
});

test('what does not shrink is given back as it is, and the next frame is whole', async () => {
  const frames = new ZstdFrames({});
  const incompressible = noise(700_000);
  assert.equal(await frames.compress(incompressible), incompressible);
  const rows = Buffer.from('row '.repeat(50_000));
  assert.deepEqual(zstdDecompressSync(await frames.compress(rows)), rows);
});

test('many at the same time do not mix', async () => {
  const compressor = await createCompressor('zstd');
  const inputs = Array.from({ length: 20 }, (_, i) => Buffer.from(`batch ${i} `.repeat(3_000 + 100 * i)));
  const outputs = await Promise.all(inputs.map((input) => compressor!.compress!(input, null)));
  for (const [i, output] of outputs.entries()) assert.deepEqual(zstdDecompressSync(output), inputs[i]);
});
