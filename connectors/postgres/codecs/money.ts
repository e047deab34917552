import { Scratch, utf8Bytes } from '../../../src/core/codecs/scratch.ts';
import type { TypeModes } from '../pg-type.ts';
import { codec, malformed, type PostgresCodec } from './codec.ts';
import { latin1, readDouble } from './float.ts';
import { decimalSchema } from './numeric.ts';

const ZERO = utf8Bytes('0');
/** `-$92,233.08`, as `lc_monetary=C` prints it. */
const MONEY = /^-?\$\d{1,3}(,\d{3})*\.\d{2}$/;
const number = new Scratch();

export function moneyCodec(modes: TypeModes): PostgresCodec {
  const scale = modes.moneyFractionDigits;
  if (modes.decimal === 'double') {
    return codec(
      { type: 'float64' },
      (bytes, start, end, out) => {
        readMoney(bytes, start, end);
        out.double(readDouble(number.bytes, 0, number.length, 'money'));
        return true;
      },
      (out) => out.double(0),
    );
  }
  if (modes.decimal === 'string') {
    const zero = scale === 0 ? '0' : `0.${'0'.repeat(scale)}`;
    return codec(
      { type: 'string' },
      (bytes, start, end, out) => {
        readMoney(bytes, start, end);
        out.utf8(number.bytes, 0, number.length);
        return true;
      },
      (out) => out.text(zero),
    );
  }
  return codec(
    decimalSchema(scale, null),
    (bytes, start, end, out) => {
      readMoney(bytes, start, end);
      if (scale >= 2) {
        out.decimal(number.bytes, 0, number.length, scale);
      } else {
        const rounded = utf8Bytes(roundHalfUp(latin1(number.bytes, 0, number.length), scale));
        out.decimal(rounded, 0, rounded.length, scale);
      }
      return true;
    },
    (out) => out.decimal(ZERO, 0, 1, scale),
  );
}

/** Leaves the plain number in `number`. */
function readMoney(bytes: Uint8Array, start: number, end: number): void {
  const text = latin1(bytes, start, end);
  if (!MONEY.test(text)) throw malformed('money under lc_monetary=C');
  const target = number.begin(end - start);
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!;
    if (byte !== 0x24 && byte !== 0x2c) target[number.length++] = byte;
  }
}

/** Rounds a number of two fraction digits to none or one, halves away from zero. */
function roundHalfUp(text: string, scale: number): string {
  const negative = text.startsWith('-');
  const cents = BigInt(text.replace('-', '').replace('.', ''));
  const unit = scale === 0 ? 100n : 10n;
  const rounded = (cents + unit / 2n) / unit;
  const digits = scale === 0 ? String(rounded) : `${rounded / 10n}.${rounded % 10n}`;
  return negative ? `-${digits}` : digits;
}
