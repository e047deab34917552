import { columnCodec, semantic } from '../../../src/core/codecs/codec.ts';
import { Scratch, utf8Bytes } from '../../../src/core/codecs/scratch.ts';
import type { ColumnCodec } from '../../../src/core/table.ts';
import { malformed } from './malformed.ts';

const EMPTY = new Uint8Array(0);
const COMMA = 0x2c;
const scratch = new Scratch();

/** ENUM: the number of a label, from 1 on; 0 stands for a value that was none when it was stored. */
export function enumCodec(labels: readonly string[]): ColumnCodec {
  const texts = [EMPTY, ...labels.map(utf8Bytes)];
  return columnCodec(
    semantic('string', 'io.debezium.data.Enum', [['allowed', labels.join(',')]]),
    (bytes, start, end, out) => {
      const size = end - start;
      if (size !== 1 && size !== 2) throw malformed('ENUM');
      const number = size === 1 ? (bytes[start] as number) : (bytes as Buffer).readUInt16LE(start);
      const text = texts[number] ?? EMPTY;
      out.utf8(text, 0, text.length);
      return true;
    },
    (out) => out.text(labels[0] ?? ''),
  );
}

/** SET: one bit for each label, in 1, 2, 3, 4 or 8 bytes. */
export function setCodec(labels: readonly string[]): ColumnCodec {
  const texts = labels.map(utf8Bytes);
  const capacity = texts.reduce((sum, text) => sum + text.length + 1, 0);
  return columnCodec(
    semantic('string', 'io.debezium.data.EnumSet', [['allowed', labels.join(',')]]),
    (bytes, start, end, out) => {
      if (end - start < 1 || end - start > 8) throw malformed('SET');
      const target = scratch.begin(capacity);
      let length = 0;
      for (let index = 0; index < texts.length; index++) {
        const at = start + (index >> 3);
        if (at >= end || (((bytes[at] as number) >> (index & 7)) & 1) === 0) continue;
        const text = texts[index] as Uint8Array;
        if (length > 0) target[length++] = COMMA;
        target.set(text, length);
        length += text.length;
      }
      out.utf8(target, 0, length);
      return true;
    },
    (out) => out.text(''),
  );
}
