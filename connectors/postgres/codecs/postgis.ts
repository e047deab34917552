import { unavailableBytes } from '../../../src/core/codecs/placeholder.ts';
import type { ConnectStruct } from '../../../src/core/connect-schema.ts';
import type { ValueWriter } from '../../../src/core/value-writer.ts';
import type { TypeModes } from '../pg-type.ts';
import { decodedHex, decodeHex } from './binary.ts';
import { codec, malformed, type PostgresCodec } from './codec.ts';
import { GEOMETRY } from './geometry.ts';

const GEOGRAPHY: ConnectStruct = {
  type: 'struct',
  name: 'io.debezium.data.geometry.Geography',
  version: 1,
  doc: 'Geography',
  fields: GEOMETRY.fields.slice(0, 2),
};

/** An empty geometry collection. */
const EMPTY = Uint8Array.of(1, 7, 0, 0, 0, 0, 0, 0, 0);
const HAS_SRID = 0x2000_0000;

/** PostGIS prints EWKB in hexadecimal; it is published whole, with the reference system it contains beside it. */
export function postgisCodec(type: 'geometry' | 'geography', modes: TypeModes): PostgresCodec {
  const hasExtensions = type === 'geometry';
  const placeholder = unavailableBytes(modes);
  const write = (out: ValueWriter, writeWkb: (out: ValueWriter) => void, srid: number | null) => {
    out.beginStruct();
    out.field('wkb');
    writeWkb(out);
    out.field('srid');
    if (srid === null) {
      out.absent(0);
    } else {
      out.present(0);
      out.int(srid);
    }
    if (hasExtensions) {
      out.field('extensions');
      out.absent(0);
    }
    out.endStruct();
  };
  return codec(
    hasExtensions ? GEOMETRY : GEOGRAPHY,
    (bytes, start, end, out) => {
      const length = decodeHex(bytes, start, end, type);
      const wkb = decodedHex();
      write(out, (to) => to.bytes(wkb, 0, length), readSrid(wkb, length, type));
      return true;
    },
    (out) => write(out, (to) => to.bytes(EMPTY, 0, EMPTY.length), null),
    (out) => write(out, placeholder, null),
  );
}

/** https://postgis.net/docs/using_postgis_dbmanagement.html#EWKB_EWKT */
function readSrid(ewkb: Uint8Array, length: number, typeName: string): number | null {
  if (length < 5 || ewkb[0]! > 1) throw malformed(typeName);
  const view = new DataView(ewkb.buffer, ewkb.byteOffset, length);
  const littleEndian = ewkb[0] === 1;
  if ((view.getUint32(1, littleEndian) & HAS_SRID) === 0) return null;
  if (length < 9) throw malformed(typeName);
  return view.getInt32(5, littleEndian);
}
