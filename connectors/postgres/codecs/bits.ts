import { semantic } from '../../../src/core/codecs/codec.ts';
import { unavailableBytes } from '../../../src/core/codecs/placeholder.ts';
import { Scratch } from '../../../src/core/codecs/scratch.ts';
import type { TypeModes } from '../pg-type.ts';
import { codec, malformed, type PostgresCodec } from './codec.ts';

const packed = new Scratch();
const UNLIMITED = 2_147_483_647;

/** `bit(n)` and `bit varying(n)`; one bit is a boolean. @param typmod the declared length, -1 for none */
export function bitsCodec(typmod: number, modes: TypeModes): PostgresCodec {
  if (typmod === 1) return oneBit;
  return codec(
    semantic('bytes', 'io.debezium.data.Bits', [['length', String(typmod < 1 ? UNLIMITED : typmod)]]),
    (bytes, start, end, out) => {
      const length = pack(bytes, start, end);
      out.bytes(packed.bytes, 0, length);
      return true;
    },
    (out) => out.bytes(packed.bytes, 0, 0),
    unavailableBytes(modes),
  );
}

/** Debezium gives an array of bit strings the schema of one of them, which can hold no array: it is always NULL. */
export function bitsArrayCodec(typmod: number, modes: TypeModes): PostgresCodec {
  return { ...bitsCodec(typmod, modes), write: () => false };
}

const oneBit = codec(
  { type: 'boolean' },
  (bytes, start, end, out) => {
    // A `bit varying(1)` may be empty.
    const length = pack(bytes, start, end);
    if (end - start > 1) throw malformed('bit(1)');
    out.boolean(length === 1);
    return true;
  },
  (out) => out.boolean(false),
);

/** Packs binary digits from the last to the first, least significant byte first, without zero bytes at the end. */
function pack(bytes: Uint8Array, start: number, end: number): number {
  const target = packed.begin((end - start + 7) >>> 3);
  let length = 0;
  let current = 0;
  for (let bit = 0, at = end - 1; at >= start; at--, bit++) {
    const digit = bytes[at]! - 0x30;
    if (digit !== 0 && digit !== 1) throw malformed('bit string');
    current |= digit << (bit & 7);
    if ((bit & 7) === 7 || at === start) {
      target[bit >>> 3] = current;
      if (current !== 0) length = (bit >>> 3) + 1;
      current = 0;
    }
  }
  return length;
}
