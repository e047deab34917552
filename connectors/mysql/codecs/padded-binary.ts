import { binaryCodec, binaryWriter } from '../../../src/core/codecs/binary.ts';
import { Scratch } from '../../../src/core/codecs/scratch.ts';
import type { ColumnCodec } from '../../../src/core/table.ts';
import type { TypeModes } from '../mysql-type.ts';
import { malformed } from './malformed.ts';

const scratch = new Scratch();

/** BINARY(n): the log leaves trailing zero bytes out. */
export function paddedBinaryCodec(length: number, modes: TypeModes): ColumnCodec {
  const write = binaryWriter(modes);
  return binaryCodec(modes, (bytes, start, end, out) => {
    if (end - start === length) {
      write(bytes, start, end, out);
      return;
    }
    if (end - start > length) throw malformed('BINARY');
    const target = scratch.begin(length);
    target.set(bytes.subarray(start, end));
    target.fill(0, end - start, length);
    write(target, 0, length, out);
  });
}
