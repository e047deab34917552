import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ResponseFramer } from '../../../src/kafka/response-framer.ts';

function framed(payloads: readonly Uint8Array[]): Buffer {
  return Buffer.concat(
    payloads.flatMap((payload) => {
      const size = Buffer.alloc(4);
      size.writeInt32BE(payload.length);
      return [size, payload];
    }),
  );
}

test('frames come out whole however the stream is cut', () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ minLength: 4, maxLength: 60 }), { maxLength: 6 }),
      fc.array(fc.nat({ max: 400 }), { maxLength: 30 }),
      (payloads, cuts) => {
        const stream = framed(payloads);
        const received: Buffer[] = [];
        const framer = new ResponseFramer((frame) => received.push(Buffer.from(frame)));
        const points = [0, ...cuts.filter((cut) => cut < stream.length).sort((a, b) => a - b), stream.length];
        for (let i = 1; i < points.length; i++) framer.push(stream.subarray(points[i - 1], points[i]));
        assert.deepEqual(
          received,
          payloads.map((payload) => Buffer.from(payload)),
        );
      },
    ),
  );
});

test('a length that Kafka never sends is refused before anything is allocated for it', () => {
  for (const size of [-1, 0, 3, 0x48545450]) {
    const bytes = Buffer.alloc(8);
    bytes.writeInt32BE(size);
    assert.throws(() => new ResponseFramer(() => {}).push(bytes), RangeError);
  }
});
