import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { PacketAssembler } from '../../../../../connectors/mysql/protocol/packet-assembler.ts';

const LARGEST_PACKET = 0xff_ffff;

/** As a server sends messages. */
function packetsOf(messages: readonly Buffer[]): Buffer {
  const parts: Buffer[] = [];
  for (const message of messages) {
    for (let at = 0, sequence = 1; ; sequence++) {
      const part = message.subarray(at, at + LARGEST_PACKET);
      const header = Buffer.alloc(4);
      header.writeUIntLE(part.length, 0, 3);
      header[3] = sequence & 0xff;
      parts.push(header, part);
      at += part.length;
      if (part.length < LARGEST_PACKET) break;
    }
  }
  return Buffer.concat(parts);
}

function assemble(chunks: readonly Buffer[]): Buffer[] {
  const messages: Buffer[] = [];
  const assembler = new PacketAssembler(
    (bytes, start, end) => messages.push(Buffer.from(bytes.subarray(start, end))),
    (bytes) => Buffer.allocUnsafeSlow(bytes),
  );
  for (const chunk of chunks) assembler.push(chunk);
  return messages;
}

it('messages are whole, however the stream is cut', () => {
  const message = fc
    .tuple(fc.oneof(fc.nat(20), fc.nat(100_000)), fc.nat(255))
    .map(([length, byte]) => Buffer.alloc(length, byte));
  fc.assert(
    fc.property(fc.array(message, { maxLength: 8 }), fc.array(fc.integer({ min: 1, max: 70_000 })), (sent, cuts) => {
      const stream = packetsOf(sent);
      const chunks: Buffer[] = [];
      let at = 0;
      for (const cut of cuts) {
        chunks.push(Buffer.from(stream.subarray(at, at + cut)));
        at += cut;
      }
      chunks.push(Buffer.from(stream.subarray(at)));
      assert.deepEqual(assemble(chunks), sent);
    }),
    { numRuns: 60 },
  );
});

it('a message of several packets is one', () => {
  for (const length of [LARGEST_PACKET - 1, LARGEST_PACKET, LARGEST_PACKET + 1, 2 * LARGEST_PACKET]) {
    const message = Buffer.alloc(length, 'row');
    const stream = packetsOf([Buffer.from('before'), message, Buffer.from('after')]);
    const chunks = Array.from({ length: Math.ceil(stream.length / 65_536) }, (_, index) =>
      stream.subarray(index * 65_536, (index + 1) * 65_536),
    );
    const [before, whole, after, ...more] = assemble(chunks);
    assert.deepEqual([String(before), String(after), more], ['before', 'after', []]);
    assert.ok(whole!.equals(message), `${length} bytes`);
  }
});
