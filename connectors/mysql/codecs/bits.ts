import { columnCodec, semantic } from '../../../src/core/codecs/codec.ts';
import { Scratch } from '../../../src/core/codecs/scratch.ts';
import type { ColumnCodec } from '../../../src/core/table.ts';
import { expectBytes } from './malformed.ts';

const scratch = new Scratch();

const bit: ColumnCodec = columnCodec(
  { type: 'boolean' },
  (bytes, start, end, out) => {
    expectBytes(start, end, 1, 'BIT');
    out.boolean(bytes[start] === 1);
    return true;
  },
  (out) => out.boolean(false),
);

/** BIT(n): the log has it big-endian, Debezium little-endian with all bytes of the column. */
export function bitCodec(bits: number): ColumnCodec {
  if (bits === 1) return bit;
  const size = (bits + 7) >> 3;
  const zero = new Uint8Array(size);
  return columnCodec(
    semantic('bytes', 'io.debezium.data.Bits', [['length', String(bits)]]),
    (bytes, start, end, out) => {
      expectBytes(start, end, size, 'BIT');
      const target = scratch.begin(size);
      for (let index = 0; index < size; index++) target[index] = bytes[end - 1 - index] as number;
      out.bytes(target, 0, size);
      return true;
    },
    (out) => out.bytes(zero, 0, size),
  );
}
