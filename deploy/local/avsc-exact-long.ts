import avro from 'avsc';

/**
 * avsc refuses longs beyond 2^53, which every `ts_ns` is; its documented way out is a long type of one's own. This one
 * gives BigInts.
 * @see https://github.com/mtth/avsc/wiki/API#typeslongtype
 */
export const EXACT_LONG = avro.types.LongType.__with({
  fromBuffer: (buffer: Buffer) => buffer.readBigInt64LE(),
  toBuffer: (value: bigint) => {
    const buffer = Buffer.alloc(8);
    buffer.writeBigInt64LE(value);
    return buffer;
  },
  fromJSON: (value: number) => BigInt(value),
  toJSON: (value: bigint) => value.toString(),
  isValid: (value: unknown) => typeof value === 'bigint',
  compare: (a: bigint, b: bigint) => (a < b ? -1 : a > b ? 1 : 0),
} as never);
