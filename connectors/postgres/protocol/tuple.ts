import { ProtocolError } from './protocol-error.ts';

/** How a column lies in a row image (TupleData): its first byte. */
export const CellTag = { null: 0x6e, unchanged: 0x75, text: 0x74, binary: 0x62 } as const;

/** What `scanTuple` found beside the end. One object is reused. */
export interface TupleScan {
  /** End of the tuple. */
  end: number;
  /** Index of the first NULL where `notNull` forbids one, else -1. */
  firstForbiddenNull: number;
}

/**
 * Walks a row image (TupleData) and checks every length in it, so that later passes may trust them.
 * @param start where the column count lies
 * @param columnCount as the relation was announced
 * @param notNull 1 for each column that must not be NULL here, or null where NULL may stand for "not logged"
 */
export function scanTuple(
  bytes: Uint8Array,
  start: number,
  end: number,
  columnCount: number,
  notNull: Uint8Array | null,
  scan: TupleScan,
): void {
  let at = start + 2;
  if (at > end) throw new ProtocolError('a row ends before its column count');
  const count = ((bytes[start] as number) << 8) | (bytes[start + 1] as number);
  if (count !== columnCount) {
    throw new ProtocolError(`a row has ${count} columns where its relation has ${columnCount}`);
  }
  scan.firstForbiddenNull = -1;
  for (let column = 0; column < count; column++) {
    if (at >= end) throw new ProtocolError('a row ends before its last column');
    const tag = bytes[at] as number;
    at += 1;
    if (tag === CellTag.text) {
      if (at + 4 > end) throw new ProtocolError('a row ends inside a length');
      const length = readInt32(bytes, at);
      at += 4 + length;
      if (length < 0 || at > end) throw new ProtocolError('a value is longer than its row');
    } else if (tag === CellTag.null) {
      if (notNull !== null && notNull[column] === 1 && scan.firstForbiddenNull < 0) scan.firstForbiddenNull = column;
    } else if (tag !== CellTag.unchanged) {
      throw new ProtocolError(`a value has the unknown form 0x${tag.toString(16)}`);
    }
  }
  scan.end = at;
}

export function readInt32(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] as number) << 24) |
    ((bytes[at + 1] as number) << 16) |
    ((bytes[at + 2] as number) << 8) |
    (bytes[at + 3] as number)
  );
}
