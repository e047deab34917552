import { codec, malformed } from './codec.ts';

const MINUS = 0x2d;
const POINT = 0x2e;
const NUMBER = /^-?\d+(\.\d+)?(e[+-]?\d+)?$/;

/** Powers of ten that a double holds exactly. */
const EXACT_POWERS = Float64Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`));

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
 * Up to 15 digits without exponent need no string: such an integer and such a power of ten are exact, so one division
 * rounds correctly.
 */
export function readDouble(bytes: Uint8Array, start: number, end: number, typeName: string): number {
  const negative = bytes[start] === MINUS;
  const first = negative ? start + 1 : start;
  let mantissa = 0;
  let digits = 0;
  let point = -1;
  for (let at = first; at < end; at++) {
    const byte = bytes[at]!;
    if (byte === POINT && point < 0 && digits > 0) {
      point = at;
      continue;
    }
    const value = byte - 0x30;
    if (value < 0 || value > 9 || ++digits > 15) return readSlowly(bytes, start, end, typeName);
    mantissa = mantissa * 10 + value;
  }
  const fraction = point < 0 ? 0 : end - point - 1;
  if (digits === 0 || point === end - 1) throw malformed(typeName);
  const magnitude = mantissa / EXACT_POWERS[fraction]!;
  return negative ? -magnitude : magnitude;
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

/** The characters of ASCII bytes. */
export function latin1(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.prototype.latin1Slice.call(bytes, start, end);
}
