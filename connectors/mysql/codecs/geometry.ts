import { columnCodec } from '../../../src/core/codecs/codec.ts';
import { point as pointWkb } from '../../../src/core/codecs/well-known-binary.ts';
import type { ConnectField, ConnectStruct } from '../../../src/core/connect-schema.ts';
import type { ColumnCodec } from '../../../src/core/table.ts';
import type { ValueWriter } from '../../../src/core/value-writer.ts';
import { malformed } from './malformed.ts';

/** Bytes of the reference system in front of the shape. */
const SRID_BYTES = 4;
/** Byte order, type, two coordinates. */
const POINT_BYTES = 21;
/** Declared sub-type of a POINT column. */
const POINT_TYPE = 1;
const ORIGIN = pointWkb(0, 0);

const SRID: ConnectField = { name: 'srid', schema: { type: 'int32' }, optional: true };

const GEOMETRY: ConnectStruct = {
  type: 'struct',
  name: 'io.debezium.data.geometry.Geometry',
  version: 1,
  doc: 'Geometry',
  fields: [{ name: 'wkb', schema: { type: 'bytes' }, optional: false }, SRID],
};

const POINT: ConnectStruct = {
  type: 'struct',
  name: 'io.debezium.data.geometry.Point',
  version: 1,
  doc: 'Geometry (POINT)',
  fields: [
    { name: 'x', schema: { type: 'float64' }, optional: false },
    { name: 'y', schema: { type: 'float64' }, optional: false },
    { name: 'wkb', schema: { type: 'bytes' }, optional: true },
    SRID,
  ],
};

/** Geometries: the reference system (0 is none), then Well-Known Binary as the server keeps it, axes included. */
export function geometryCodec(declaredType: number | null): ColumnCodec {
  return declaredType === POINT_TYPE ? pointCodec : anyGeometry;
}

const anyGeometry: ColumnCodec = columnCodec(
  GEOMETRY,
  (bytes, start, end, out) => {
    if (end - start < SRID_BYTES + 5) throw malformed('GEOMETRY');
    writeGeometry(bytes, start + SRID_BYTES, end, (bytes as Buffer).readUInt32LE(start), out);
    return true;
  },
  (out) => writeGeometry(ORIGIN, 0, ORIGIN.length, 0, out),
);

const pointCodec: ColumnCodec = columnCodec(
  POINT,
  (bytes, start, end, out) => {
    if (end - start !== SRID_BYTES + POINT_BYTES) throw malformed('POINT');
    writePoint(bytes, start + SRID_BYTES, (bytes as Buffer).readUInt32LE(start), out);
    return true;
  },
  (out) => writePoint(ORIGIN, 0, 0, out),
);

function writeGeometry(bytes: Uint8Array, start: number, end: number, srid: number, out: ValueWriter): void {
  out.beginStruct();
  out.field('wkb');
  out.bytes(bytes, start, end);
  writeSrid(srid, out);
  out.endStruct();
}

function writePoint(bytes: Uint8Array, start: number, srid: number, out: ValueWriter): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset + start, POINT_BYTES);
  const isLittleEndian = view.getUint8(0) === 1;
  out.beginStruct();
  out.field('x');
  out.double(view.getFloat64(5, isLittleEndian));
  out.field('y');
  out.double(view.getFloat64(13, isLittleEndian));
  out.field('wkb');
  out.present(0);
  out.bytes(bytes, start, start + POINT_BYTES);
  writeSrid(srid, out);
  out.endStruct();
}

function writeSrid(srid: number, out: ValueWriter): void {
  out.field('srid');
  if (srid === 0) {
    out.absent(0);
    return;
  }
  out.present(0);
  out.int(srid | 0);
}
