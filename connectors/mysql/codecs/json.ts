import { columnCodec, semantic } from '../../../src/core/codecs/codec.ts';
import { unavailableText } from '../../../src/core/codecs/placeholder.ts';
import type { ColumnCodec } from '../../../src/core/table.ts';
import type { TypeModes } from '../mysql-type.ts';
import { JsonReader } from './json-reader.ts';

const reader = new JsonReader();

/** JSON of MySQL: its binary form as the text that the server prints. */
export function jsonCodec(modes: TypeModes): ColumnCodec {
  return columnCodec(
    semantic('string', 'io.debezium.data.Json'),
    (bytes, start, end, out) => {
      const text = reader.read(bytes as Buffer, start, end);
      out.utf8(text.bytes, 0, text.length);
      text.end();
      return true;
    },
    (out) => out.text('{}'),
    unavailableText(modes),
  );
}
