import { columnCodec } from '../../../src/core/codecs/codec.ts';
import { unavailableText } from '../../../src/core/codecs/placeholder.ts';
import type { ConnectScalar } from '../../../src/core/connect-schema.ts';
import { FatalError } from '../../../src/core/errors.ts';
import type { ColumnCodec } from '../../../src/core/table.ts';
import type { TypeModes } from '../mysql-type.ts';
import { isAsciiCompatible, isUtf8, textDecoderOf } from './charset.ts';

/** CHAR, VARCHAR and TEXT, decoded from the character set of the column. */
export function textCodec(charset: string, modes: TypeModes, schema: ConnectScalar = { type: 'string' }): ColumnCodec {
  return columnCodec(schema, writeText(charset), (out) => out.text(''), unavailableText(modes));
}

function writeText(charset: string): ColumnCodec['write'] {
  if (isUtf8(charset)) {
    return (bytes, start, end, out) => {
      out.utf8(bytes, start, end);
      return true;
    };
  }
  const decode = textDecoderOf(charset);
  if (decode === null) {
    throw new FatalError(`The character set ${charset} is not known.`, {
      code: 'MYSQL_CHARSET_UNKNOWN',
      remedy: 'Exclude the column, or convert it to utf8mb4.',
    });
  }
  const asciiIsSame = isAsciiCompatible(charset);
  return (bytes, start, end, out) => {
    if (asciiIsSame && isAscii(bytes, start, end)) out.utf8(bytes, start, end);
    else out.text(decode(bytes.subarray(start, end)));
    return true;
  };
}

function isAscii(bytes: Uint8Array, start: number, end: number): boolean {
  let seen = 0;
  for (let at = start; at < end; at++) seen |= bytes[at] as number;
  return seen < 0x80;
}
