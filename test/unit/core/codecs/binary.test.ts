import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type BinaryMode, rawBytesCodec } from '../../../../src/core/codecs/binary.ts';
import { plainOf } from '../../../support/plain-value.ts';

const BYTES = Buffer.from([0x2e, 0xff, 0xfe, 0x3e, 0x01, 0x2e]);
const FORMS: readonly (readonly [BinaryMode['binary'], value: string, unavailable: string])[] = [
  ['bytes', '0xfffe3e01', '0x676f6e65'],
  ['hex', 'fffe3e01', 'gone'],
  ['base64', '//4+AQ==', 'gone'],
  ['base64-url-safe', '__4-AQ==', 'gone'],
];

test('raw bytes have the form of the binary mode', () => {
  for (const [binary, value, unavailable] of FORMS) {
    const codec = rawBytesCodec({ binary, unavailablePlaceholder: 'gone' });
    assert.equal(
      plainOf(codec, (out) => void codec.write(BYTES, 1, 5, out)),
      value,
      binary,
    );
    assert.equal(plainOf(codec, codec.writeUnavailable), unavailable, binary);
    assert.equal(plainOf(codec, codec.writeFallback), binary === 'bytes' ? '0x' : '', binary);
  }
});
