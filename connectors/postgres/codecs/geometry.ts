import { unavailableBytes } from '../../../src/core/codecs/placeholder.ts';
import { utf8Bytes } from '../../../src/core/codecs/scratch.ts';
import { lineString, point as pointWkb, polygon as polygonWkb } from '../../../src/core/codecs/well-known-binary.ts';
import type { ConnectField, ConnectStruct } from '../../../src/core/connect-schema.ts';
import type { ValueWriter } from '../../../src/core/value-writer.ts';
import type { TypeModes } from '../pg-type.ts';
import { codec, malformed, type PostgresCodec } from './codec.ts';
import { latin1 } from './float.ts';

const NUMBER = /-?(?:\d+(?:\.\d+)?(?:e[+-]?\d+)?|Infinity)|NaN/g;

/** The text form of each type, an `n` standing for a number. */
const FRAMES = {
  point: /^\(n,n\)$/,
  line: /^\{n,n,n\}$/,
  lseg: /^\[\(n,n\),\(n,n\)\]$/,
  box: /^\(n,n\),\(n,n\)$/,
  path: /^(?:\[\(n,n\)(?:,\(n,n\))*\]|\(\(n,n\)(?:,\(n,n\))*\))$/,
  polygon: /^\(\(n,n\)(?:,\(n,n\))*\)$/,
  circle: /^<\(n,n\),n>$/,
};

const POINT: ConnectStruct = {
  type: 'struct',
  name: 'io.debezium.data.geometry.Point',
  version: 1,
  doc: 'Geometry (POINT)',
  fields: [
    required('x', 'float64'),
    required('y', 'float64'),
    { name: 'wkb', schema: { type: 'bytes' }, optional: true },
    { name: 'srid', schema: { type: 'int32' }, optional: true },
  ],
};

const LINE: ConnectStruct = {
  type: 'struct',
  name: 'io.debezium.data.geometry.Line',
  version: 1,
  doc: 'Geometry (LINE)',
  fields: [required('a', 'float64'), required('b', 'float64'), required('c', 'float64')],
};

const CIRCLE: ConnectStruct = {
  type: 'struct',
  name: 'io.debezium.data.geometry.Circle',
  version: 1,
  doc: 'Geometry (CIRCLE)',
  fields: [{ name: 'center', schema: POINT, optional: false }, required('radius', 'float64')],
};

export const GEOMETRY: ConnectStruct = {
  type: 'struct',
  name: 'io.debezium.data.geometry.Geometry',
  version: 2,
  doc: 'Geometry',
  fields: [
    required('wkb', 'bytes'),
    { name: 'srid', schema: { type: 'int32' }, optional: true },
    {
      name: 'extensions',
      schema: { type: 'map', values: { type: 'string' }, valuesOptional: false },
      optional: true,
    },
  ],
};

export const pointCodec: PostgresCodec = codec(
  POINT,
  (bytes, start, end, out) => {
    const [x, y] = coordinates('point', latin1(bytes, start, end));
    writePoint(x!, y!, out);
    return true;
  },
  (out) => writePoint(0, 0, out),
);

export const lineCodec: PostgresCodec = codec(
  LINE,
  (bytes, start, end, out) => {
    const [a, b, c] = coordinates('line', latin1(bytes, start, end));
    writeLine(a!, b!, c!, out);
    return true;
  },
  // {0,0,0} is no line.
  (out) => writeLine(0, 1, 0, out),
);

export const circleCodec: PostgresCodec = codec(
  CIRCLE,
  (bytes, start, end, out) => {
    const [x, y, radius] = coordinates('circle', latin1(bytes, start, end));
    writeCircle(x!, y!, radius!, out);
    return true;
  },
  (out) => writeCircle(0, 0, 0, out),
);

/** The smallest shapes that are valid in OGC terms stand in for missing ones, as in Debezium. */
const UNIT_SQUARE = [0, 0, 0, 1, 1, 1, 1, 0, 0, 0];
const UNIT_TRIANGLE = [0, 0, 1, 0, 0, 1, 0, 0];
const UNIT_SEGMENT = [0, 0, 1, 0];

/** Two opposite corners, as a closed ring. */
export function boxCodec(modes: TypeModes): PostgresCodec {
  return geometryCodec('box', modes, polygonWkb(UNIT_SQUARE), (text) => {
    const [x1, y1, x2, y2] = coordinates('box', text);
    return polygonWkb([x1!, y1!, x1!, y2!, x2!, y2!, x2!, y1!, x1!, y1!]);
  });
}

export function lineSegmentCodec(modes: TypeModes): PostgresCodec {
  return geometryCodec('lseg', modes, lineString(UNIT_SEGMENT), (text) => lineString(coordinates('lseg', text)));
}

/** A line string; whether it is closed is among the extensions. */
export function pathCodec(modes: TypeModes): PostgresCodec {
  return geometryCodec('path', modes, lineString(UNIT_SEGMENT), (text) => lineString(coordinates('path', text)));
}

/** A ring that ends where it began. */
export function polygonCodec(modes: TypeModes): PostgresCodec {
  return geometryCodec('polygon', modes, polygonWkb(UNIT_TRIANGLE), (text) => {
    const ring = coordinates('polygon', text);
    const last = ring.length - 2;
    if (last > 0 && (ring[0] !== ring[last] || ring[1] !== ring[last + 1])) ring.push(ring[0]!, ring[1]!);
    return polygonWkb(ring);
  });
}

const TYPE_KEY = utf8Bytes('type');
const CLOSED_KEY = utf8Bytes('closed');

function geometryCodec(
  type: keyof typeof FRAMES,
  modes: TypeModes,
  fallback: Uint8Array,
  toWkb: (text: string) => Uint8Array,
): PostgresCodec {
  const placeholder = unavailableBytes(modes);
  const write = (out: ValueWriter, writeWkb: (out: ValueWriter) => void, closed: boolean | null) => {
    out.beginStruct();
    out.field('wkb');
    writeWkb(out);
    out.field('srid');
    out.absent(0);
    out.field('extensions');
    out.present(0);
    out.beginMap(closed === null ? 1 : 2);
    if (closed !== null) {
      out.mapKey(CLOSED_KEY, 0, CLOSED_KEY.length);
      out.text(String(closed));
    }
    out.mapKey(TYPE_KEY, 0, TYPE_KEY.length);
    out.text(type);
    out.endMap();
    out.endStruct();
  };
  return codec(
    GEOMETRY,
    (bytes, start, end, out) => {
      const text = latin1(bytes, start, end);
      const wkb = toWkb(text);
      write(out, (to) => to.bytes(wkb, 0, wkb.length), type === 'path' ? text.startsWith('(') : null);
      return true;
    },
    (out) => write(out, (to) => to.bytes(fallback, 0, fallback.length), null),
    (out) => write(out, placeholder, null),
  );
}

function writePoint(x: number, y: number, out: ValueWriter): void {
  const wkb = pointWkb(x, y);
  out.beginStruct();
  out.field('x');
  out.double(x);
  out.field('y');
  out.double(y);
  out.field('wkb');
  out.present(0);
  out.bytes(wkb, 0, wkb.length);
  out.field('srid');
  out.absent(0);
  out.endStruct();
}

function writeLine(a: number, b: number, c: number, out: ValueWriter): void {
  out.beginStruct();
  out.field('a');
  out.double(a);
  out.field('b');
  out.double(b);
  out.field('c');
  out.double(c);
  out.endStruct();
}

function writeCircle(x: number, y: number, radius: number, out: ValueWriter): void {
  out.beginStruct();
  out.field('center');
  writePoint(x, y, out);
  out.field('radius');
  out.double(radius);
  out.endStruct();
}

function coordinates(type: keyof typeof FRAMES, text: string): number[] {
  const numbers: number[] = [];
  const frame = text.replace(NUMBER, (number) => {
    numbers.push(Number(number));
    return 'n';
  });
  if (!FRAMES[type].test(frame)) throw malformed(type);
  return numbers;
}

function required(name: string, type: 'float64' | 'bytes'): ConnectField {
  return { name, schema: { type }, optional: false };
}
