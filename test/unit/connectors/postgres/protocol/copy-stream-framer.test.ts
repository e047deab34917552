import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { CopyStreamFramer } from '../../../../../connectors/postgres/protocol/copy-stream-framer.ts';
import { ProtocolError } from '../../../../../connectors/postgres/protocol/protocol-error.ts';

/** Messages written by hand from https://www.postgresql.org/docs/current/protocol-message-formats.html. */
function message(code: string, body: Buffer): Buffer {
  const bytes = Buffer.alloc(5 + body.length);
  bytes.write(code, 0, 'latin1');
  bytes.writeUInt32BE(4 + body.length, 1);
  body.copy(bytes, 5);
  return bytes;
}

function walData(lsn: bigint, payload: Buffer): Buffer {
  const header = Buffer.alloc(25);
  header.write('w', 0, 'latin1');
  header.writeBigUInt64BE(lsn, 1);
  header.writeBigUInt64BE(0xaaaa_aaaa_aaaa_aaaan, 9);
  header.writeBigUInt64BE(0xbbbb_bbbb_bbbb_bbbbn, 17);
  return message('d', Buffer.concat([header, payload]));
}

function keepalive(lsn: bigint, wantsReply: boolean): Buffer {
  const body = Buffer.alloc(18, 0xcc);
  body.write('k', 0, 'latin1');
  body.writeBigUInt64BE(lsn, 1);
  body[17] = wantsReply ? 1 : 0;
  return message('d', body);
}

interface Sent {
  readonly bytes: Buffer;
  readonly says: string;
}

function framer(seen: string[], owned: Buffer[] = []): CopyStreamFramer {
  return new CopyStreamFramer({
    walData: (bytes, start, end, high, low, isOwn) => {
      seen.push(`w ${high} ${low} ${bytes.toString('hex', start, end)}`);
      if (isOwn) owned.push(bytes);
    },
    keepalive: (high, low, wantsReply) => seen.push(`k ${high} ${low} ${wantsReply}`),
    other: (other) => seen.push(`o ${other.toString('hex')}`),
  });
}

const lsns = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const bodies = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes));
const halves = (lsn: bigint): string => `${lsn >> 32n} ${lsn & 0xffff_ffffn}`;

const messages: fc.Arbitrary<Sent> = fc.oneof(
  fc.tuple(lsns, bodies).map(([lsn, payload]) => ({
    bytes: walData(lsn, payload),
    says: `w ${halves(lsn)} ${payload.toString('hex')}`,
  })),
  fc.tuple(lsns, fc.boolean()).map(([lsn, reply]) => ({
    bytes: keepalive(lsn, reply),
    says: `k ${halves(lsn)} ${reply}`,
  })),
  fc.tuple(fc.constantFrom('N', 'E', 'S', 'W', 'c', 'C', 'Z'), bodies).map(([code, body]) => {
    const bytes = message(code, body);
    return { bytes, says: `o ${bytes.toString('hex')}` };
  }),
);

test('every message arrives once, in order and whole, wherever the network cuts the stream', () => {
  fc.assert(
    fc.property(fc.array(messages, { maxLength: 12 }), fc.array(fc.nat(60), { maxLength: 40 }), (sent, cuts) => {
      const stream = Buffer.concat(sent.map(({ bytes }) => bytes));
      const seen: string[] = [];
      const cutter = framer(seen);
      let at = 0;
      for (const size of [...cuts, stream.length]) {
        // A buffer of its own that is overwritten afterwards, as a driver may.
        const chunk = Buffer.from(stream.subarray(at, at + size));
        cutter.push(chunk);
        chunk.fill(0xee);
        at += chunk.length;
      }
      assert.deepEqual(
        seen,
        sent.map(({ says }) => says),
      );
    }),
  );
});

test('a message that spans reads is given away in a buffer of its size', () => {
  const payload = Buffer.alloc(300_000, 7);
  const stream = Buffer.concat([walData(1n, payload), keepalive(2n, false)]);
  const seen: string[] = [];
  const owned: Buffer[] = [];
  const cutter = framer(seen, owned);
  for (let at = 0; at < stream.length; at += 65_536) cutter.push(stream.subarray(at, at + 65_536));
  assert.equal(owned.length, 1);
  assert.equal(owned[0]!.buffer.byteLength, 300_030);
  assert.deepEqual([seen.length, seen[1]], [2, 'k 0 2 false']);
});

for (const [what, bytes] of [
  ['a length below that of the length itself', Buffer.from('6400000003', 'hex')],
  ['a negative length', Buffer.from('64ffffffff', 'hex')],
  ['an error message of a gigabyte', Buffer.from('4540000000', 'hex')],
  ['a copy message of an unknown kind', message('d', Buffer.from('x'))],
  ['log data without its whole header', message('d', Buffer.from(`w${'0'.repeat(23)}`))],
  ['a keepalive without its end', message('d', Buffer.from(`k${'0'.repeat(16)}`))],
] as const) {
  test(`${what} is refused`, () => {
    assert.throws(() => framer([]).push(bytes), ProtocolError);
    const bitByBit = framer([]);
    assert.throws(() => {
      for (const byte of bytes) bitByBit.push(Buffer.of(byte));
    }, ProtocolError);
  });
}
