import { ProtocolError } from './protocol-error.ts';
import { type EncodedLength, readLength } from './statement-packets.ts';
import { TypeCode } from './type-code.ts';

/** Status byte in front of the bitmap of NULLs, whose first two bits are not used. */
const BITMAP_AT = 1;
const FIRST_BIT = 2;
/** Width of a value that has its length in front. */
export const WITH_LENGTH = 0;

/**
 * Bytes of each column's values in a binary row, or `WITH_LENGTH`, by the type codes of a result.
 * @see https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_binary_resultset.html
 */
export function binaryWidths(types: Uint8Array): Uint8Array {
  return types.map(widthOf);
}

function widthOf(type: number): number {
  switch (type) {
    case TypeCode.tiny:
      return 1;
    case TypeCode.short:
    case TypeCode.year:
      return 2;
    case TypeCode.int24:
    case TypeCode.long:
    case TypeCode.float:
      return 4;
    case TypeCode.longlong:
    case TypeCode.double:
      return 8;
    default:
      return WITH_LENGTH;
  }
}

export function bitmapEnd(columns: number): number {
  return BITMAP_AT + ((columns + FIRST_BIT + 7) >> 3);
}

const length: EncodedLength = { value: 0, end: 0 };

/**
 * Finds the columns of the row in `bytes[start, end)`: where each begins and ends, `nothing` in `starts` for NULL.
 * @throws ProtocolError where they do not fill it
 */
export function locateBinaryRow(
  bytes: Buffer,
  start: number,
  end: number,
  widths: Uint8Array,
  starts: Int32Array,
  ends: Int32Array,
  nothing: number,
): void {
  const count = widths.length;
  let at = start + bitmapEnd(count);
  for (let column = 0; column < count; column++) {
    const bit = column + FIRST_BIT;
    if ((((bytes[start + BITMAP_AT + (bit >> 3)] as number) >> (bit & 7)) & 1) === 1) {
      starts[column] = nothing;
      continue;
    }
    const width = widths[column] as number;
    if (width !== WITH_LENGTH) {
      starts[column] = at;
      at += width;
    } else {
      const first = bytes[at] as number;
      if (first < 0xfb) {
        starts[column] = at + 1;
        at += 1 + first;
      } else {
        readLength(bytes, at, end, length);
        starts[column] = length.end;
        at = length.end + length.value;
      }
    }
    ends[column] = at;
  }
  if (at !== end) throw new ProtocolError('the values of a row do not fill its packet');
}
