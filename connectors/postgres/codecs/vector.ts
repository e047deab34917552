import { unavailableArray } from '../../../src/core/codecs/placeholder.ts';
import type { ConnectSchema, ConnectStruct } from '../../../src/core/connect-schema.ts';
import type { TypeModes } from '../pg-type.ts';
import { codec, malformed, type PostgresCodec } from './codec.ts';
import { latin1, readDouble, readFloat } from './float.ts';

const COMMA = 0x2c;

/** pgvector's `vector` and `halfvec`: `[1,2.5,3]`. */
export function vectorCodec(type: 'vector' | 'halfvec', modes: TypeModes): PostgresCodec {
  const isDouble = type === 'vector';
  const items: ConnectSchema = { type: isDouble ? 'float64' : 'float32' };
  const empty: PostgresCodec['writeFallback'] = (out) => {
    out.beginArray(0);
    out.endArray();
  };
  return codec(
    {
      type: 'array',
      name: isDouble ? 'io.debezium.data.DoubleVector' : 'io.debezium.data.FloatVector',
      version: 1,
      items,
      itemsOptional: false,
    },
    (bytes, start, end, out) => {
      if (end - start < 3 || bytes[start] !== 0x5b || bytes[end - 1] !== 0x5d) throw malformed(type);
      let count = 1;
      for (let at = start + 1; at < end; at++) if (bytes[at] === COMMA) count++;
      out.beginArray(count);
      for (let at = start + 1; at < end; ) {
        let to = at;
        while (to < end - 1 && bytes[to] !== COMMA) to++;
        if (isDouble) out.double(readDouble(bytes, at, to, type));
        else out.float(readFloat(bytes, at, to, type));
        at = to + 1;
      }
      out.endArray();
      return true;
    },
    empty,
    unavailableArray(items, false, modes, empty),
  );
}

const MAP_ENTRY: ConnectStruct = {
  type: 'struct',
  name: 'io.confluent.connect.avro.MapEntry',
  fields: [
    { name: 'key', schema: { type: 'int16' }, optional: false },
    { name: 'value', schema: { type: 'float64' }, optional: false },
  ],
};

const SPARSE_VECTOR: ConnectStruct = {
  type: 'struct',
  name: 'io.debezium.data.SparseDoubleVector',
  version: 1,
  doc: 'Sparse double vector',
  fields: [
    { name: 'dimensions', schema: { type: 'int16' }, optional: false },
    // A map whose keys are no strings is an array of entries in Avro.
    { name: 'vector', schema: { type: 'array', items: MAP_ENTRY, itemsOptional: false }, optional: false },
  ],
};

const SPARSE = /^\{(?:\d+:[^,:{}]+(?:,\d+:[^,:{}]+)*)?\}\/\d+$/;

/** pgvector's `sparsevec`: `{1:1.5,3:2}/5`. Dimensions beyond 32767 have no representation in Debezium's schema. */
export const sparseVectorCodec: PostgresCodec = {
  schema: SPARSE_VECTOR,
  canWrite: (bytes, start, end) => dimensions(latin1(bytes, start, end)) <= 32_767,
  write(bytes, start, end, out) {
    const text = latin1(bytes, start, end);
    if (dimensions(text) > 32_767) return false;
    const body = text.slice(1, text.indexOf('}'));
    const entries = body === '' ? [] : body.split(',').map((entry) => entry.split(':'));
    out.beginStruct();
    out.field('dimensions');
    out.int(dimensions(text));
    out.field('vector');
    out.beginArray(entries.length);
    for (const [index = '', value = ''] of entries) {
      const number = Number(value);
      if (Number.isNaN(number)) throw malformed('sparsevec');
      out.beginStruct();
      out.field('key');
      out.int(Number(index));
      out.field('value');
      out.double(number);
      out.endStruct();
    }
    out.endArray();
    out.endStruct();
    return true;
  },
  writeFallback: writeEmptySparse,
  writeUnavailable: writeEmptySparse,
};

function writeEmptySparse(out: Parameters<PostgresCodec['writeFallback']>[0]): void {
  out.beginStruct();
  out.field('dimensions');
  out.int(0);
  out.field('vector');
  out.beginArray(0);
  out.endArray();
  out.endStruct();
}

function dimensions(text: string): number {
  if (!SPARSE.test(text)) throw malformed('sparsevec');
  return Number(text.slice(text.indexOf('/') + 1));
}
