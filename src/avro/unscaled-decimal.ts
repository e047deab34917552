import { MalformedValueError } from '../core/errors.ts';

const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const TWO_TO_16 = 0x1_0000;
const TWO_TO_32 = 0x1_0000_0000;
const LIMB_DIGITS = 9;

/**
 * Turns a decimal number's ASCII text into its unscaled value: big-endian two's complement of minimal length, which is
 * what Connect's Decimal carries. Up to 18 digits no BigInt is involved. One object is reused for all numbers.
 */
export class UnscaledDecimal {
  /** The result lies in `bytes` from `start` to its end, until the next `parse`. */
  bytes: Uint8Array = new Uint8Array(8);
  start = 0;
  readonly #small = new Uint8Array(8);

  /**
   * @throws RangeError where the text has more significant fraction digits than `scale`.
   * @throws MalformedValueError where it is not `[-]digits[.digits]`.
   */
  parse(ascii: Uint8Array, from: number, to: number, scale: number): void {
    let at = from;
    const negative = ascii[at] === MINUS;
    if (negative) at += 1;
    // The value is leading × 10^(digits in trailing) + trailing: two limbs of at most nine digits.
    let leading = 0;
    let trailing = 0;
    let trailingWeight = 1;
    let digits = 0;
    let fraction = -1;
    let seen = 0;
    for (; at < to; at++) {
      const byte = ascii[at]!;
      if (byte === POINT && fraction < 0) {
        fraction = 0;
        continue;
      }
      const digit = byte - ZERO;
      if (digit < 0 || digit > 9) throw new MalformedValueError('a decimal number holds a byte that is not a digit');
      seen += 1;
      if (fraction >= 0) {
        if (fraction === scale) {
          if (digit !== 0) throw new RangeError(`a decimal number has more than ${scale} fraction digits`);
          continue;
        }
        fraction += 1;
      }
      if (digits === 0 && digit === 0) continue;
      digits += 1;
      if (digits <= LIMB_DIGITS) leading = leading * 10 + digit;
      else if (digits <= 2 * LIMB_DIGITS) {
        trailing = trailing * 10 + digit;
        trailingWeight *= 10;
      }
    }
    if (seen === 0) throw new MalformedValueError('a decimal number has no digits');
    if (digits > 0) {
      for (let missing = scale - Math.max(fraction, 0); missing > 0; missing--) {
        digits += 1;
        if (digits <= LIMB_DIGITS) leading *= 10;
        else if (digits <= 2 * LIMB_DIGITS) {
          trailing *= 10;
          trailingWeight *= 10;
        } else break;
      }
    }
    if (digits > 2 * LIMB_DIGITS) this.#parseLong(ascii, from, to, scale);
    else this.#setLimbs(leading, trailing, trailingWeight, negative);
  }

  /** Takes a safe integer. */
  set(unscaled: number): void {
    const magnitude = Math.abs(unscaled);
    this.#setHalves(Math.floor(magnitude / TWO_TO_32), magnitude >>> 0, unscaled < 0);
  }

  #setLimbs(leading: number, trailing: number, weight: number, negative: boolean): void {
    const middle = Math.floor(leading / TWO_TO_16) * weight;
    const bottom = (middle % TWO_TO_16) * TWO_TO_16 + (leading % TWO_TO_16) * weight + trailing;
    this.#setHalves(Math.floor(middle / TWO_TO_16) + Math.floor(bottom / TWO_TO_32), bottom >>> 0, negative);
  }

  /** Takes a magnitude below 2^63. */
  #setHalves(magnitudeHigh: number, magnitudeLow: number, negative: boolean): void {
    let high = magnitudeHigh | 0;
    let low = magnitudeLow;
    if (negative) {
      low = -low >>> 0;
      high = low === 0 ? -high | 0 : ~high;
    }
    const bytes = this.#small;
    bytes[0] = high >>> 24;
    bytes[1] = high >>> 16;
    bytes[2] = high >>> 8;
    bytes[3] = high;
    bytes[4] = low >>> 24;
    bytes[5] = low >>> 16;
    bytes[6] = low >>> 8;
    bytes[7] = low;
    this.#trim(bytes);
  }

  #parseLong(ascii: Uint8Array, from: number, to: number, scale: number): void {
    let text = Buffer.from(ascii.buffer, ascii.byteOffset + from, to - from).toString('latin1');
    const negative = text.startsWith('-');
    if (negative) text = text.slice(1);
    const point = text.indexOf('.');
    const whole = point < 0 ? text : text.slice(0, point);
    const fraction = point < 0 ? '' : text.slice(point + 1, point + 1 + scale);
    const magnitude = BigInt(whole + fraction + '0'.repeat(scale - fraction.length));
    // Two's complement of -n is ~(n - 1): taking it byte by byte avoids a second conversion.
    const hex = (negative ? magnitude - 1n : magnitude).toString(16);
    const bytes = Buffer.from(`${hex.length % 2 === 0 ? '00' : '000'}${hex}`, 'hex');
    if (negative) for (let i = 0; i < bytes.length; i++) bytes[i] = ~bytes[i]!;
    this.#trim(bytes);
  }

  /** Leaves out the leading bytes that only repeat the sign. */
  #trim(bytes: Uint8Array): void {
    const last = bytes.length - 1;
    let start = 0;
    while (start < last) {
      const byte = bytes[start]!;
      const nextIsNegative = bytes[start + 1]! >= 0x80;
      if (!((byte === 0 && !nextIsNegative) || (byte === 0xff && nextIsNegative))) break;
      start += 1;
    }
    this.bytes = bytes;
    this.start = start;
  }
}
