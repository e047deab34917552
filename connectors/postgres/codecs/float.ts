import { Buffer } from 'node:buffer';
import { codec, malformed } from './codec.ts';

const MINUS = 0x2d;
const POINT = 0x2e;
const NUMBER = /^-?\d+(\.\d+)?(e[+-]?\d+)?$/;

/** Of an integer that a double holds exactly, whichever they are. */
const EXACT_DIGITS = 15;
/** What Postgres writes at most of a double. */
const MOST_DIGITS = 17;
/** Powers of ten that a double holds exactly. */
const EXACT_POWERS = Float64Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`));
/** Their upper 26 bits. */
const UPPER_HALVES = EXACT_POWERS.map(upperHalf);

export const float4 = codec(
  { type: 'float32' },
  (bytes, start, end, out) => {
    out.float(readFloat(bytes, start, end, 'float4'));
    return true;
  },
  (out) => out.float(0),
);

export const float8 = codec(
  { type: 'float64' },
  (bytes, start, end, out) => {
    out.double(readDouble(bytes, start, end, 'float8'));
    return true;
  },
  (out) => out.double(0),
);

/**
 * The double nearest to a decimal number, or one of `NaN`, `Infinity`, `-Infinity`.
 * Digits without exponent need no string: up to 15 of them are an exact integer, and so is the power of ten below them, so
 * that one division rounds correctly; for more see `nearestQuotient`.
 */
export function readDouble(bytes: Uint8Array, start: number, end: number, typeName: string): number {
  const negative = bytes[start] === MINUS;
  const first = negative ? start + 1 : start;
  let mantissa = 0;
  let rest = 0;
  let digits = 0;
  let point = -1;
  for (let at = first; at < end; at++) {
    const byte = bytes[at]!;
    if (byte === POINT && point < 0 && digits > 0) {
      point = at;
      continue;
    }
    const value = byte - 0x30;
    if (value < 0 || value > 9 || ++digits > MOST_DIGITS) return readSlowly(bytes, start, end, typeName);
    if (digits <= EXACT_DIGITS) mantissa = mantissa * 10 + value;
    else rest = rest * 10 + value;
  }
  const fraction = point < 0 ? 0 : end - point - 1;
  if (digits === 0 || point === end - 1) throw malformed(typeName);
  const magnitude =
    digits <= EXACT_DIGITS
      ? mantissa / EXACT_POWERS[fraction]!
      : nearestQuotient(mantissa, rest, digits - EXACT_DIGITS, fraction);
  if (Number.isNaN(magnitude)) return readSlowly(bytes, start, end, typeName);
  return negative ? -magnitude : magnitude;
}

/**
 * The double nearest to `(mantissa * 10^restDigits + rest) / 10^fraction`, or NaN where the numbers of this size do not tell
 * on which side of the middle between two doubles it lies. Dividend and quotient are each a sum of two doubles: T. J. Dekker,
 * "A floating-point technique for extending the available precision", 1971.
 */
function nearestQuotient(mantissa: number, rest: number, restDigits: number, fraction: number): number {
  const scale = EXACT_POWERS[restDigits]!;
  const lower = mantissa % 0x10_0000;
  // Both are exact: the first has 30 bits above the lower 20, the second has fewer than 30.
  const high = (mantissa - lower) * scale;
  const low = lower * scale + rest;
  const dividend = high + low;
  const dividendError = low - (dividend - high);
  const divisor = EXACT_POWERS[fraction]!;
  const quotient = dividend / divisor;
  const product = quotient * divisor;
  const quotientHigh = upperHalf(quotient);
  const quotientLow = quotient - quotientHigh;
  const divisorHigh = UPPER_HALVES[fraction]!;
  const divisorLow = divisor - divisorHigh;
  const productError =
    quotientHigh * divisorHigh -
    product +
    quotientHigh * divisorLow +
    quotientLow * divisorHigh +
    quotientLow * divisorLow;
  const correction = (dividend - product - productError + dividendError) / divisor;
  // More than the correction can be wrong by, which is some 2^-104 of the quotient.
  const margin = quotient * 2 ** -98;
  const nearest = quotient + (correction - margin);
  return nearest === quotient + (correction + margin) ? nearest : Number.NaN;
}

/** The upper 26 of the 53 bits of a double; what is left has 26 bits and a sign. */
function upperHalf(value: number): number {
  const shifted = value * 0x800_0001;
  return shifted - (shifted - value);
}

/** The float nearest to a decimal number. */
export function readFloat(bytes: Uint8Array, start: number, end: number, typeName: string): number {
  const double = readDouble(bytes, start, end, typeName);
  const float = Math.fround(double);
  if (float === double || !Number.isFinite(double)) return float;
  // Rounding twice is only wrong where the double lies exactly between two floats but the decimal does not.
  const other = neighbour(float, double > float);
  if ((float + other) / 2 !== double) return float;
  const side = compareDecimal(latin1(bytes, start, end), double);
  if (side === 0) return float;
  return side > 0 ? Math.max(float, other) : Math.min(float, other);
}

const floatView = new Float32Array(1);
const floatBits = new Int32Array(floatView.buffer);

function neighbour(float: number, upwards: boolean): number {
  if (float === 0) return upwards ? 2 ** -149 : -(2 ** -149);
  floatView[0] = float;
  floatBits[0]! += float > 0 === upwards ? 1 : -1;
  return floatView[0]!;
}

/** Sign of the exact difference between a decimal number and a double. */
function compareDecimal(text: string, double: number): number {
  const [mantissa = '', exponentText = '0'] = text.split('e');
  const [whole = '', fraction = ''] = mantissa.split('.');
  const exponent = Number(exponentText) - fraction.length;
  // A double is an integer over 2^1074.
  const left = BigInt(whole + fraction) * 2n ** 1074n * 10n ** BigInt(Math.max(exponent, 0));
  const right = exactNumerator(double) * 10n ** BigInt(Math.max(-exponent, 0));
  return left < right ? -1 : left > right ? 1 : 0;
}

function exactNumerator(double: number): bigint {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, double);
  const bits = view.getBigUint64(0);
  const exponent = (bits >> 52n) & 0x7ffn;
  const fraction = bits & 0xf_ffff_ffff_ffffn;
  const magnitude = exponent === 0n ? fraction : (fraction | 0x10_0000_0000_0000n) << (exponent - 1n);
  return double < 0 ? -magnitude : magnitude;
}

function readSlowly(bytes: Uint8Array, start: number, end: number, typeName: string): number {
  const text = latin1(bytes, start, end);
  if (NUMBER.test(text)) return Number(text);
  if (text === 'NaN') return Number.NaN;
  if (text === 'Infinity') return Number.POSITIVE_INFINITY;
  if (text === '-Infinity') return Number.NEGATIVE_INFINITY;
  throw malformed(typeName);
}

const { latin1Slice } = Buffer.prototype;

/** The characters of ASCII bytes. */
export function latin1(bytes: Uint8Array, start: number, end: number): string {
  return latin1Slice.call(bytes, start, end);
}
