import { bytesOf } from './decimal-words.ts';
import { ProtocolError } from './protocol-error.ts';
import type { TableMap } from './table-map.ts';
import { TypeCode } from './type-code.ts';

/** How to step from column to column of a row image (Rows_event, "Row image" in the MySQL replication protocol). */
export interface RowLayout {
  readonly columnCount: number;
  /**
   * By column: bytes of the value (0 or more), or -1, -2, -3, -4 for a value behind a length of that many bytes,
   * little-endian.
   */
  readonly widths: Int32Array;
}

/** Throws ProtocolError for a column whose type is not known: nothing behind it could be found. */
export function rowLayoutOf(map: TableMap): RowLayout {
  const columnCount = map.types.length;
  const widths = new Int32Array(columnCount);
  for (let column = 0; column < columnCount; column++) {
    widths[column] = widthOf(map.types[column] as number, map.metadata[column] as number);
  }
  return { columnCount, widths };
}

/** How many bits of a byte are set. */
const ONES = Uint8Array.from({ length: 256 }, (_, byte) => byte.toString(2).replaceAll('0', '').length);

/**
 * Checks one row image: that its bitmap of nulls and its values lie before `end`.
 * @param bitmap where the columns-present bitmap of the event starts.
 * @returns where the image ends.
 */
export function scanRow(bytes: Buffer, start: number, end: number, layout: RowLayout, bitmap: number): number {
  const { columnCount, widths } = layout;
  const present = countPresent(bytes, bitmap, columnCount);
  let at = start + ((present + 7) >> 3);
  if (at > end) throw new ProtocolError('a row ends inside of its bitmap of nulls');
  let bit = 0;
  for (let column = 0; column < columnCount; column++) {
    if (present !== columnCount && !isSet(bytes, bitmap, column)) continue;
    const isNull = isSet(bytes, start, bit);
    bit += 1;
    if (isNull) continue;
    const width = widths[column] as number;
    if (width >= 0) at += width;
    else {
      if (at - width > end) throw new ProtocolError('a row ends inside of a length');
      at += readLength(bytes, at, -width) - width;
    }
    if (at > end) throw new ProtocolError('a row ends inside of a value');
  }
  return at;
}

export function countPresent(bytes: Buffer, bitmap: number, columnCount: number): number {
  const last = bitmap + (columnCount >> 3);
  let present = 0;
  for (let at = bitmap; at < last; at++) present += ONES[bytes[at] as number] as number;
  const rest = columnCount & 7;
  return rest === 0 ? present : present + (ONES[(bytes[last] as number) & ((1 << rest) - 1)] as number);
}

export function isSet(bytes: Buffer, bitmap: number, index: number): boolean {
  return (((bytes[bitmap + (index >> 3)] as number) >> (index & 7)) & 1) === 1;
}

/** A little-endian length of 1 to 4 bytes. */
export function readLength(bytes: Buffer, at: number, size: number): number {
  let length = bytes[at] as number;
  if (size > 1) length |= (bytes[at + 1] as number) << 8;
  if (size > 2) length |= (bytes[at + 2] as number) << 16;
  if (size > 3) length = (length | ((bytes[at + 3] as number) << 24)) >>> 0;
  return length;
}

function widthOf(type: number, metadata: number): number {
  switch (type) {
    case TypeCode.null:
      return 0;
    case TypeCode.tiny:
    case TypeCode.year:
      return 1;
    case TypeCode.short:
      return 2;
    case TypeCode.int24:
    case TypeCode.date:
    case TypeCode.newDate:
    case TypeCode.time:
      return 3;
    case TypeCode.long:
    case TypeCode.float:
    case TypeCode.timestamp:
      return 4;
    case TypeCode.longlong:
    case TypeCode.double:
    case TypeCode.datetime:
      return 8;
    case TypeCode.timestamp2:
      return 4 + fractionBytes(metadata);
    case TypeCode.datetime2:
      return 5 + fractionBytes(metadata);
    case TypeCode.time2:
      return 3 + fractionBytes(metadata);
    case TypeCode.newDecimal:
      return decimalBytes(metadata >> 8, metadata & 0xff);
    case TypeCode.bit:
      return (metadata + 7) >> 3;
    case TypeCode.enum:
    case TypeCode.set:
      if (metadata < 1 || metadata > 8) throw new ProtocolError(`an ENUM or SET of ${metadata} bytes`);
      return metadata;
    case TypeCode.varchar:
    case TypeCode.varString:
    case TypeCode.varcharCompressed:
    case TypeCode.string:
      return metadata > 255 ? -2 : -1;
    case TypeCode.tinyBlob:
    case TypeCode.mediumBlob:
    case TypeCode.longBlob:
    case TypeCode.blob:
    case TypeCode.blobCompressed:
    case TypeCode.json:
    case TypeCode.geometry:
    case TypeCode.vector:
      if (metadata < 1 || metadata > 4) throw new ProtocolError(`a length of ${metadata} bytes`);
      return -metadata;
    default:
      throw new ProtocolError(`the column type ${type} is not known`);
  }
}

/** Bytes of the fraction of a TIME, DATETIME or TIMESTAMP with this many digits. */
function fractionBytes(digits: number): number {
  if (digits > 6) throw new ProtocolError(`${digits} fractional digits`);
  return (digits + 1) >> 1;
}

/**
 * Bytes of a DECIMAL: nine digits take four bytes, on both sides of the point.
 * @see https://dev.mysql.com/doc/refman/8.4/en/precision-math-decimal-characteristics.html
 */
export function decimalBytes(precision: number, scale: number): number {
  if (precision < 1 || precision > 65 || scale > precision || scale > 38) {
    throw new ProtocolError(`DECIMAL(${precision},${scale})`);
  }
  return bytesOf(precision - scale) + bytesOf(scale);
}
