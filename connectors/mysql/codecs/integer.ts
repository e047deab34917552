import { columnCodec } from '../../../src/core/codecs/codec.ts';
import type { ConnectScalar } from '../../../src/core/connect-schema.ts';
import type { ColumnCodec } from '../../../src/core/table.ts';
import type { TypeModes } from '../mysql-type.ts';
import { decimalSchema } from './decimal.ts';
import { expectBytes } from './malformed.ts';

type Read = (bytes: Buffer, at: number) => number;

/** An integer of `size` bytes, little-endian, whose values all fit the schema. */
function integer(schema: ConnectScalar, size: number, typeName: string, read: Read): ColumnCodec {
  const isLong = schema.type === 'int64';
  return columnCodec(
    schema,
    (bytes, start, end, out) => {
      expectBytes(start, end, size, typeName);
      const value = read(bytes as Buffer, start);
      if (isLong) out.safeLong(value);
      else out.int(value);
      return true;
    },
    (out) => (isLong ? out.safeLong(0) : out.int(0)),
  );
}

const INT16: ConnectScalar = { type: 'int16' };
const INT32: ConnectScalar = { type: 'int32' };
const INT64: ConnectScalar = { type: 'int64' };

export const tinyint = integer(INT16, 1, 'TINYINT', (bytes, at) => bytes.readInt8(at));
export const tinyintUnsigned = integer(INT16, 1, 'TINYINT UNSIGNED', (bytes, at) => bytes[at] as number);
export const smallint = integer(INT16, 2, 'SMALLINT', (bytes, at) => bytes.readInt16LE(at));
export const smallintUnsigned = integer(INT32, 2, 'SMALLINT UNSIGNED', (bytes, at) => bytes.readUInt16LE(at));
export const mediumint = integer(INT32, 3, 'MEDIUMINT', (bytes, at) => bytes.readIntLE(at, 3));
export const mediumintUnsigned = integer(INT32, 3, 'MEDIUMINT UNSIGNED', (bytes, at) => bytes.readUIntLE(at, 3));
export const int = integer(INT32, 4, 'INT', (bytes, at) => bytes.readInt32LE(at));
export const intUnsigned = integer(INT64, 4, 'INT UNSIGNED', (bytes, at) => bytes.readUInt32LE(at));

/** Also of BIGINT UNSIGNED under `bigint_unsigned: long`: what is above 2^63 wraps, as in Debezium. */
export const bigint: ColumnCodec = columnCodec(
  INT64,
  (bytes, start, end, out) => {
    expectBytes(start, end, 8, 'BIGINT');
    out.long((bytes as Buffer).readInt32LE(start + 4), (bytes as Buffer).readUInt32LE(start));
    return true;
  },
  (out) => out.safeLong(0),
);

const digits = new Uint8Array(20);
const ZERO = Uint8Array.of(0x30);

const bigintUnsignedPrecise: ColumnCodec = columnCodec(
  decimalSchema(20, 0),
  (bytes, start, end, out) => {
    expectBytes(start, end, 8, 'BIGINT UNSIGNED');
    out.decimal(digits, fillDigits(bytes as Buffer, start), digits.length, 0);
    return true;
  },
  (out) => out.decimal(ZERO, 0, 1, 0),
);

export function bigintUnsigned(modes: TypeModes): ColumnCodec {
  return modes.bigintUnsigned === 'precise' ? bigintUnsignedPrecise : bigint;
}

/** Writes a 64-bit number to the end of `digits`. @returns where it starts there. */
function fillDigits(bytes: Buffer, at: number): number {
  let high = bytes.readUInt32LE(at + 4);
  let low = bytes.readUInt32LE(at);
  let to = digits.length;
  do {
    // Division by ten of two halves.
    const rest = high % 10;
    high = Math.floor(high / 10);
    const lower = rest * 0x1_0000_0000 + low;
    low = Math.floor(lower / 10);
    to -= 1;
    digits[to] = 0x30 + (lower - low * 10);
  } while (high > 0 || low > 0);
  return to;
}
