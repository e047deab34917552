import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type EventSpill, PacketFramer } from '../../../../../connectors/mysql/protocol/packet-framer.ts';
import { ProtocolError } from '../../../../../connectors/mysql/protocol/protocol-error.ts';

const LARGEST_PACKET = 0xff_ffff;
const LARGE_BYTES = 256 * 1024;

/** An event of `size` bytes, its size in its header, the rest from `seed`. */
function eventOf(size: number, seed: number): Buffer {
  const bytes = Buffer.alloc(size);
  for (let at = 0; at < size; at++) bytes[at] = (seed + at * 31) & 0xff;
  if (size >= 13) bytes.writeUInt32LE(size, 9);
  return bytes;
}

/** The packets of a message with a status byte in front. */
function packets(event: Buffer): Buffer {
  const message = Buffer.concat([Buffer.of(0), event]);
  const parts: Buffer[] = [];
  for (let at = 0; ; at += LARGEST_PACKET) {
    const part = message.subarray(at, at + LARGEST_PACKET);
    const header = Buffer.alloc(4);
    header.writeUIntLE(part.length, 0, 3);
    parts.push(header, part);
    if (part.length < LARGEST_PACKET) return Buffer.concat(parts);
  }
}

/** What a framer tells, spilled events among them. */
function framed(spilledFrom: number, pauses = false) {
  const told: Buffer[] = [];
  let spills = 0;
  const spillInto = (): EventSpill => {
    const parts: Buffer[] = [];
    spills += 1;
    return {
      append: (bytes, start, end) => void parts.push(Buffer.from(bytes.subarray(start, end))),
      end: () => {
        told.push(Buffer.concat(parts));
        return !pauses;
      },
      discard: () => undefined,
    };
  };
  const framer = new PacketFramer(
    {
      event: (bytes, start, end) => {
        told.push(Buffer.from(bytes.subarray(start, end)));
        return !pauses;
      },
      spill: (_head, size) => (size >= spilledFrom ? spillInto() : null),
      error: (number, message) => assert.fail(`${number} ${message}`),
      endOfFile: () => assert.fail(),
    },
    (bytes) => Buffer.alloc(bytes),
  );
  return { framer, told, spills: () => spills };
}

function pushInPieces(framer: PacketFramer, bytes: Buffer, sizes: readonly number[]): void {
  for (let at = 0, index = 0; at < bytes.length; index++) {
    const size = sizes[index % sizes.length] as number;
    framer.push(Buffer.from(bytes.subarray(at, at + size)));
    at += size;
  }
}

test('events come out whole, however the stream is cut, also those that go elsewhere', () => {
  const sizes = fc.oneof(fc.integer({ min: 19, max: 200 }), fc.integer({ min: LARGE_BYTES - 2, max: LARGE_BYTES * 2 }));
  const cuts = fc.array(fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constant(65_536)), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(fc.array(sizes, { minLength: 1, maxLength: 4 }), cuts, fc.boolean(), (events, pieces, isSpilled) => {
      const sent = events.map((size, index) => eventOf(size, index));
      const { framer, told } = framed(isSpilled ? LARGE_BYTES : Number.POSITIVE_INFINITY);
      const least = Math.max(...events) > 1000 ? pieces.map((piece) => Math.max(piece, 997)) : pieces;
      pushInPieces(framer, Buffer.concat(sent.map(packets)), least);
      assert.equal(told.length, sent.length);
      for (const [index, event] of sent.entries()) assert.ok(event.equals(told[index] as Buffer));
    }),
    { numRuns: 60 },
  );
});

test('an event of several packets, with and without a place of its own', () => {
  for (const size of [LARGEST_PACKET - 1, LARGEST_PACKET, LARGEST_PACKET + 5]) {
    for (const spilledFrom of [LARGE_BYTES, Number.POSITIVE_INFINITY]) {
      const { framer, told, spills } = framed(spilledFrom);
      const event = eventOf(size, 3);
      pushInPieces(framer, Buffer.concat([packets(event), packets(eventOf(20, 4))]), [65_536]);
      assert.equal(told.length, 2);
      assert.ok(event.equals(told[0] as Buffer));
      assert.equal(spills(), spilledFrom === LARGE_BYTES ? 1 : 0);
    }
  }
});

test('what arrives while nobody listens is kept until somebody does', () => {
  const { framer, told } = framed(LARGE_BYTES, true);
  const sent = [eventOf(20, 1), eventOf(LARGE_BYTES * 2, 2), eventOf(30, 3)];
  pushInPieces(framer, Buffer.concat(sent.map(packets)), [65_536]);
  for (let heard = 1; heard <= sent.length; heard++) {
    assert.equal(told.length, heard);
    framer.resume();
  }
  assert.ok(sent.every((event, index) => event.equals(told[index] as Buffer)));
});

test('an event that is longer than its header says is an error', () => {
  const { framer } = framed(Number.POSITIVE_INFINITY);
  const event = eventOf(LARGE_BYTES * 2, 1);
  event.writeUInt32LE(100, 9);
  assert.throws(() => pushInPieces(framer, packets(event), [65_536]), ProtocolError);
});
