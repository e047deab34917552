import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { binaryWidths, locateBinaryRow } from '../../../../../connectors/mysql/protocol/binary-row.ts';
import { ProtocolError } from '../../../../../connectors/mysql/protocol/protocol-error.ts';
import { TypeCode } from '../../../../../connectors/mysql/protocol/type-code.ts';

const TYPES = Uint8Array.of(
  TypeCode.tiny,
  TypeCode.blob,
  TypeCode.longlong,
  TypeCode.datetime,
  TypeCode.year,
  TypeCode.float,
);
const NOTHING = -1;

/** A row as the manual describes it: a zero, a bitmap from its third bit on, values. */
function rowOf(values: readonly (Buffer | null)[]): Buffer {
  const bitmap = Buffer.alloc((values.length + 9) >> 3);
  const parts: Buffer[] = [];
  for (const [index, value] of values.entries()) {
    if (value === null) bitmap[(index + 2) >> 3]! |= 1 << ((index + 2) & 7);
    else parts.push(value);
  }
  return Buffer.concat([Buffer.of(0), bitmap, ...parts]);
}

function behindLength(bytes: Buffer): Buffer {
  const { length } = bytes;
  if (length < 251) return Buffer.concat([Buffer.of(length), bytes]);
  const head = Buffer.alloc(length < 65_536 ? 3 : 4);
  head[0] = length < 65_536 ? 0xfc : 0xfd;
  head.writeUIntLE(length, 1, head.length - 1);
  return Buffer.concat([head, bytes]);
}

function locate(row: Buffer): (string | null)[] {
  const starts = new Int32Array(TYPES.length);
  const ends = new Int32Array(TYPES.length);
  const padded = Buffer.concat([Buffer.from('before'), row, Buffer.from('after')]);
  locateBinaryRow(padded, 6, 6 + row.length, binaryWidths(TYPES), starts, ends, NOTHING);
  return [...starts].map((start, at) => (start === NOTHING ? null : padded.toString('hex', start, ends[at])));
}

const fixed = (size: number) => fc.uint8Array({ minLength: size, maxLength: size }).map((bytes) => Buffer.from(bytes));
const free = fc.oneof(fc.uint8Array({ maxLength: 300 }), fc.constantFrom(new Uint8Array(65_536), new Uint8Array(251)));
const values = fc.tuple(
  ...[
    fixed(1),
    free.map((bytes) => Buffer.from(bytes)),
    fixed(8),
    fc.constantFrom(...[0, 4, 7, 11].map((size) => Buffer.alloc(size, 7))),
    fixed(2),
    fixed(4),
  ].map((value) => fc.option(value)),
);

it('every column is found, whichever are NULL', () => {
  fc.assert(
    fc.property(values, (row) => {
      const sent = row.map((value, at) => (value !== null && (at === 1 || at === 3) ? behindLength(value) : value));
      assert.deepEqual(
        locate(rowOf(sent)),
        row.map((value) => value?.toString('hex') ?? null),
      );
    }),
  );
});

it('a row that is cut short or goes on is refused', () => {
  const row = rowOf([Buffer.of(1), behindLength(Buffer.alloc(300, 1)), null, Buffer.of(0), Buffer.of(1, 2), null]);
  assert.doesNotThrow(() => locate(row));
  for (let length = 2; length < row.length; length++) {
    assert.throws(() => locate(row.subarray(0, length)), ProtocolError, `${length} bytes`);
  }
  assert.throws(() => locate(Buffer.concat([row, Buffer.of(0)])), ProtocolError);
});
