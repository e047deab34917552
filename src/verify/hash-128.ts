const C1 = 0x239b961b;
const C2 = 0xab0e9789;
const C3 = 0x38b34ae5;
const C4 = 0xa1e38b93;

/** 32-bit words of a hash. */
export const HASH_WORDS = 4;

/**
 * MurmurHash3 x86 128 of `bytes[start, end)`, into four words of `out` from `at` on. Not against an adversary: for values that
 * were not made to collide, 100 million of them collide with a probability of 10^-23.
 * @see https://github.com/aappleby/smhasher/blob/master/src/MurmurHash3.cpp
 */
export function hash128(bytes: Uint8Array, start: number, end: number, out: Int32Array, at: number): void {
  let h1 = 0;
  let h2 = 0;
  let h3 = 0;
  let h4 = 0;
  let i = start;
  for (; i + 16 <= end; i += 16) {
    h1 ^= mixed(word(bytes, i), C1, 15, C2);
    h1 = (Math.imul(rotated(h1, 19) + h2, 5) + 0x561ccd1b) | 0;
    h2 ^= mixed(word(bytes, i + 4), C2, 16, C3);
    h2 = (Math.imul(rotated(h2, 17) + h3, 5) + 0x0bcaa747) | 0;
    h3 ^= mixed(word(bytes, i + 8), C3, 17, C4);
    h3 = (Math.imul(rotated(h3, 15) + h4, 5) + 0x96cd1c35) | 0;
    h4 ^= mixed(word(bytes, i + 12), C4, 18, C1);
    h4 = (Math.imul(rotated(h4, 13) + h1, 5) + 0x32ac3b17) | 0;
  }
  if (i < end) h1 ^= mixed(partialWord(bytes, i, end), C1, 15, C2);
  if (i + 4 < end) h2 ^= mixed(partialWord(bytes, i + 4, end), C2, 16, C3);
  if (i + 8 < end) h3 ^= mixed(partialWord(bytes, i + 8, end), C3, 17, C4);
  if (i + 12 < end) h4 ^= mixed(partialWord(bytes, i + 12, end), C4, 18, C1);
  const length = end - start;
  h1 ^= length;
  h2 ^= length;
  h3 ^= length;
  h4 ^= length;
  h1 = (h1 + h2 + h3 + h4) | 0;
  h2 = finished((h2 + h1) | 0);
  h3 = finished((h3 + h1) | 0);
  h4 = finished((h4 + h1) | 0);
  h1 = finished(h1);
  h1 = (h1 + h2 + h3 + h4) | 0;
  out[at] = h1;
  out[at + 1] = (h2 + h1) | 0;
  out[at + 2] = (h3 + h1) | 0;
  out[at + 3] = (h4 + h1) | 0;
}

function word(bytes: Uint8Array, i: number): number {
  return bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
}

function partialWord(bytes: Uint8Array, start: number, end: number): number {
  let value = 0;
  for (let i = Math.min(end, start + 4) - 1; i >= start; i--) value = (value << 8) | bytes[i]!;
  return value;
}

function mixed(k: number, first: number, rotation: number, second: number): number {
  return Math.imul(rotated(Math.imul(k, first), rotation), second);
}

function rotated(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}

function finished(value: number): number {
  let h = value;
  h ^= h >>> 16;
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return h ^ (h >>> 16);
}
