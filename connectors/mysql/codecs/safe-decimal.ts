import { DIGIT_BYTES, fractionWords, wholeWords } from '../protocol/decimal-words.ts';
import { malformed } from './malformed.ts';

/** Every number of so many digits is a safe integer when the point is left out. */
export const SAFE_DIGITS = 15;

interface Word {
  readonly bytes: number;
  /** The first number that it cannot hold. */
  readonly limit: number;
}

/**
 * Reads values of DECIMAL(precision, scale) without their point: 12.50 is 1250.
 * @param precision at most `SAFE_DIGITS`
 * @see https://dev.mysql.com/doc/dev/mysql-server/latest/decimal_8h.html (decimal2bin)
 */
export function unscaledReader(
  precision: number,
  scale: number,
): (bytes: Uint8Array, start: number, end: number) => number {
  const digits = [...wholeWords(precision - scale), ...fractionWords(scale)];
  const words = digits.map((count): Word => ({ bytes: DIGIT_BYTES[count] as number, limit: 10 ** count }));
  const size = words.reduce((sum, { bytes }) => sum + bytes, 0);
  return (bytes, start, end) => {
    if (end - start !== size) throw malformed('DECIMAL');
    // The first bit is inverted, and all of a negative number are.
    const isNegative = ((bytes[start] as number) & 0x80) === 0;
    const mask = isNegative ? 0xff : 0;
    let magnitude = 0;
    let at = start;
    let flip = 0x80;
    for (let index = 0; index < words.length; index++) {
      const { bytes: width, limit } = words[index] as Word;
      let word = 0;
      for (const next = at + width; at < next; at++) {
        word = (word << 8) | ((bytes[at] as number) ^ mask ^ flip);
        flip = 0;
      }
      if (word >>> 0 >= limit) throw malformed('DECIMAL');
      magnitude = magnitude * limit + word;
    }
    return isNegative ? -magnitude : magnitude;
  };
}
