import { semantic } from '../../../src/core/codecs/codec.ts';
import { unavailableBytes, unavailableText } from '../../../src/core/codecs/placeholder.ts';
import { utf8Bytes } from '../../../src/core/codecs/scratch.ts';
import type { ConnectSchema, ConnectStruct } from '../../../src/core/connect-schema.ts';
import type { TypeModes } from '../pg-type.ts';
import { codec, malformed, type PostgresCodec } from './codec.ts';
import { latin1, readDouble } from './float.ts';

const ZERO = utf8Bytes('0');
const MINUS = 0x2d;
const POINT = 0x2e;
const DIGIT_0 = 0x30;

/** Precision and scale of a numeric column, or null where none are declared. */
export interface NumericModifier {
  readonly precision: number;
  /** As Debezium reads it: unsigned, so that a negative scale is 2048 less its magnitude. */
  readonly scale: number;
}

export function numericModifier(typmod: number): NumericModifier | null {
  if (typmod < 4) return null;
  return { precision: ((typmod - 4) >>> 16) & 0xffff, scale: (typmod - 4) & 0x7ff };
}

export function numericCodec(typmod: number, modes: TypeModes): PostgresCodec {
  const modifier = numericModifier(typmod);
  if (modes.decimal === 'double') return doubleCodec();
  if (modes.decimal === 'string') return stringCodec(modifier?.scale ?? null, modes);
  return modifier === null ? variableScaleCodec(modes) : preciseCodec(modifier, modes);
}

/** Connect's Decimal; without precision (`money`) Avro's is the widest that Confluent's converter knows. */
export function decimalSchema(scale: number, precision: number | null): ConnectSchema {
  const parameters: (readonly [string, string])[] = [['scale', String(scale)]];
  if (precision !== null) parameters.push(['connect.decimal.precision', String(precision)]);
  return semantic('bytes', 'org.apache.kafka.connect.data.Decimal', parameters);
}

function preciseCodec({ precision, scale }: NumericModifier, modes: TypeModes): PostgresCodec {
  return {
    schema: decimalSchema(scale, precision),
    canWrite: isOrdinary,
    write(bytes, start, end, out) {
      if (!isOrdinary(bytes, start, end)) return false;
      if (significantFraction(bytes, start, end) > scale) throw malformed('numeric of this scale');
      out.decimal(bytes, start, end, scale);
      return true;
    },
    writeFallback: (out) => out.decimal(ZERO, 0, 1, 0),
    writeUnavailable: unavailableBytes(modes),
  };
}

const VARIABLE_SCALE_DECIMAL: ConnectStruct = {
  type: 'struct',
  name: 'io.debezium.data.VariableScaleDecimal',
  version: 1,
  doc: 'Variable scaled decimal',
  fields: [
    { name: 'scale', schema: { type: 'int32' }, optional: false },
    { name: 'value', schema: { type: 'bytes' }, optional: false },
  ],
};

function variableScaleCodec(modes: TypeModes): PostgresCodec {
  const placeholder = unavailableBytes(modes);
  return {
    schema: VARIABLE_SCALE_DECIMAL,
    canWrite: isOrdinary,
    write(bytes, start, end, out) {
      if (!isOrdinary(bytes, start, end)) return false;
      const scale = significantFraction(bytes, start, end);
      out.beginStruct();
      out.field('scale');
      out.int(scale);
      out.field('value');
      out.decimal(bytes, start, end, scale);
      out.endStruct();
      return true;
    },
    writeFallback(out) {
      out.beginStruct();
      out.field('scale');
      out.int(0);
      out.field('value');
      out.decimal(ZERO, 0, 1, 0);
      out.endStruct();
    },
    writeUnavailable(out) {
      out.beginStruct();
      out.field('scale');
      out.int(0);
      out.field('value');
      placeholder(out);
      out.endStruct();
    },
  };
}

function doubleCodec(): PostgresCodec {
  return codec(
    { type: 'float64' },
    (bytes, start, end, out) => {
      out.double(readDouble(bytes, start, end, 'numeric'));
      return true;
    },
    (out) => out.double(0),
    (out) => out.double(Number.NaN),
  );
}

/** @param scale digits after the point that every value has, or null where each has its own. */
function stringCodec(scale: number | null, modes: TypeModes): PostgresCodec {
  const zero = scale === null || scale === 0 ? '0' : `0.${'0'.repeat(scale)}`;
  return codec(
    { type: 'string' },
    (bytes, start, end, out) => {
      if (!isOrdinary(bytes, start, end)) {
        out.text(specialName(bytes, start, end));
        return true;
      }
      const significant = significantFraction(bytes, start, end);
      const written = fractionDigits(bytes, start, end);
      if (scale === null || written === scale) out.utf8(bytes, start, end);
      else if (significant > scale) throw malformed('numeric of this scale');
      else out.text(withFraction(latin1(bytes, start, end), written, scale));
      return true;
    },
    (out) => out.text(zero),
    unavailableText(modes),
  );
}

function withFraction(text: string, digits: number, scale: number): string {
  if (digits > scale) return text.slice(0, text.length - (digits - scale) - (scale === 0 ? 1 : 0));
  return `${text}${digits === 0 ? '.' : ''}${'0'.repeat(scale - digits)}`;
}

/** Java's names, which Debezium prints. */
function specialName(bytes: Uint8Array, start: number, end: number): string {
  if (end - start === 3) return 'NAN';
  return bytes[start] === MINUS ? 'NEGATIVE_INFINITY' : 'POSITIVE_INFINITY';
}

/** False for the three special values; every other text is checked by `significantFraction`. */
function isOrdinary(bytes: Uint8Array, start: number, end: number): boolean {
  const last = bytes[end - 1]!;
  if (last >= 0x30 && last <= 0x39) return true;
  const text = latin1(bytes, start, Math.min(end, start + 10));
  if (text !== 'NaN' && text !== 'Infinity' && text !== '-Infinity') throw malformed('numeric');
  return false;
}

function fractionDigits(bytes: Uint8Array, start: number, end: number): number {
  const point = bytes.indexOf(POINT, start);
  return point < 0 || point >= end ? 0 : end - point - 1;
}

/** Checks `[-]digits[.digits]` and counts the fraction digits up to the last that is not zero. */
function significantFraction(bytes: Uint8Array, start: number, end: number): number {
  const first = bytes[start] === MINUS ? start + 1 : start;
  let point = -1;
  let significant = 0;
  for (let at = first; at < end; at++) {
    const byte = bytes[at]!;
    if (byte === POINT && point < 0 && at > first) point = at;
    else if (byte < 0x30 || byte > 0x39) throw malformed('numeric');
    else if (point >= 0 && byte !== DIGIT_0) significant = at - point;
  }
  if (first >= end || point === end - 1) throw malformed('numeric');
  return significant;
}
