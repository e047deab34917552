import { columnCodec } from '../../../src/core/codecs/codec.ts';
import type { ColumnCodec } from '../../../src/core/table.ts';
import { malformed } from './malformed.ts';

const ITEM_BYTES = 4;

/** VECTOR of MySQL 9 and MariaDB 11.7: single-precision numbers, little-endian. */
export const vectorCodec: ColumnCodec = columnCodec(
  {
    type: 'array',
    name: 'io.debezium.data.FloatVector',
    version: 1,
    items: { type: 'float32' },
    itemsOptional: false,
  },
  (bytes, start, end, out) => {
    if ((end - start) % ITEM_BYTES !== 0) throw malformed('VECTOR');
    out.beginArray((end - start) / ITEM_BYTES);
    for (let at = start; at < end; at += ITEM_BYTES) out.float((bytes as Buffer).readFloatLE(at));
    out.endArray();
    return true;
  },
  (out) => {
    out.beginArray(0);
    out.endArray();
  },
);
