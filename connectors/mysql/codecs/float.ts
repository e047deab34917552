import { columnCodec } from '../../../src/core/codecs/codec.ts';
import type { ColumnCodec } from '../../../src/core/table.ts';
import { expectBytes } from './malformed.ts';

export const float: ColumnCodec = columnCodec(
  { type: 'float32' },
  (bytes, start, end, out) => {
    expectBytes(start, end, 4, 'FLOAT');
    out.float((bytes as Buffer).readFloatLE(start));
    return true;
  },
  (out) => out.float(0),
);

/** FLOAT(M,D): Debezium declares a double, which then holds what the column's four bytes say. */
export const floatAsDouble: ColumnCodec = columnCodec(
  { type: 'float64' },
  (bytes, start, end, out) => {
    expectBytes(start, end, 4, 'FLOAT');
    out.double((bytes as Buffer).readFloatLE(start));
    return true;
  },
  (out) => out.double(0),
);

export const double: ColumnCodec = columnCodec(
  { type: 'float64' },
  (bytes, start, end, out) => {
    expectBytes(start, end, 8, 'DOUBLE');
    out.double((bytes as Buffer).readDoubleLE(start));
    return true;
  },
  (out) => out.double(0),
);
