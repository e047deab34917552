import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32 } from 'node:zlib';
import { PayloadSpill } from '../../../../connectors/mysql/payload-spill.ts';
import { ProtocolError } from '../../../../connectors/mysql/protocol/protocol-error.ts';

const CONTENT = Buffer.from(Array.from({ length: 1000 }, (_, index) => (index * 7) & 0xff));

function withChecksum(content: Buffer): Buffer {
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32LE(crc32(content), 0);
  return Buffer.concat([content, checksum]);
}

/** What is in the file in the end, after pieces of `size` bytes. */
function spilled(event: Buffer, announced: number, hasChecksum: boolean, size: number): Buffer {
  let kept = Buffer.alloc(0);
  const spill = new PayloadSpill(announced, hasChecksum, (file) => {
    kept = Buffer.alloc(file.length);
    file.read(kept, 0, kept.length, 0);
    return true;
  });
  try {
    for (let at = 0; at < event.length; at += size) spill.append(event, at, Math.min(at + size, event.length));
    assert.equal(spill.end(), true);
    return kept;
  } finally {
    spill.discard();
  }
}

test('the event lies in the file without its checksum, however it was cut', () => {
  const event = withChecksum(CONTENT);
  for (const size of [1, 3, 333, 999, 1001, 1002, 5000]) {
    assert.deepEqual(spilled(event, event.length, true, size), CONTENT, `pieces of ${size}`);
    assert.deepEqual(spilled(CONTENT, CONTENT.length, false, size), CONTENT, `pieces of ${size}, no checksum`);
  }
});

test('a flipped bit, a piece too few and a piece too many are errors before anything is read', () => {
  const event = withChecksum(CONTENT);
  for (const at of [0, 500, 999, 1000, 1003]) {
    const flipped = Buffer.from(event);
    flipped[at]! ^= 4;
    assert.throws(() => spilled(flipped, event.length, true, 100), ProtocolError, `byte ${at}`);
  }
  assert.throws(() => spilled(event.subarray(0, 1003), event.length, true, 100), ProtocolError);
  assert.throws(() => spilled(Buffer.concat([event, event]), event.length, true, 100), ProtocolError);
});
