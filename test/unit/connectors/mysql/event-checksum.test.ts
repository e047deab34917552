import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { eventChecksum } from '../../../../connectors/mysql/event-checksum.ts';

test('the checksum of an event is the CRC-32 of zlib, of small events and of large ones', () => {
  const bytes = fc.uint8Array({ maxLength: 600, size: 'max' });
  fc.assert(
    fc.property(bytes, fc.nat(5), (content, before) => {
      const buffer = Buffer.concat([Buffer.alloc(before, 7), content, Buffer.alloc(3, 9)]);
      assert.equal(eventChecksum(buffer, before, before + content.length), crc32(content));
    }),
    { numRuns: 1000 },
  );
  assert.equal(eventChecksum(Buffer.from('123456789'), 0, 9), 0xcbf4_3926);
});
