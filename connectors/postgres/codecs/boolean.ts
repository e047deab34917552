import { codec, malformed } from './codec.ts';

/** `t` or `f`. */
export const bool = codec(
  { type: 'boolean' },
  (bytes, start, end, out) => {
    const letter = bytes[start];
    if (end - start !== 1 || (letter !== 0x74 && letter !== 0x66)) throw malformed('bool');
    out.boolean(letter === 0x74);
    return true;
  },
  (out) => out.boolean(false),
);
