import { ProtocolError } from './protocol-error.ts';

/** Start of a column that is NULL. */
const NULL_CELL = -1;

const TAB = 0x09;
const NEWLINE = 0x0a;
const BACKSLASH = 0x5c;
const UPPER_N = 0x4e;

/** What stands behind a backslash for a control character: \b \f \n \r \t \v. Everything else stands for itself. */
const UNESCAPED = new Uint8Array(256).map((_, code) => code);
for (const [letter, code] of [
  [0x62, 0x08],
  [0x66, 0x0c],
  [0x6e, 0x0a],
  [0x72, 0x0d],
  [0x74, 0x09],
  [0x76, 0x0b],
] as const) {
  UNESCAPED[letter] = code;
}

/**
 * Finds the columns of one row in COPY's text format and undoes their escapes where they stand, so that each column is a
 * range of `bytes` with the text that the type's output function gave.
 * https://www.postgresql.org/docs/current/sql-copy.html#SQL-COPY-FILE-FORMATS
 * @param starts gets the start of column i at `cell + i`, -1 for NULL; `ends` its end
 * @throws ProtocolError where the row does not have `columns` columns and a line's end.
 */
export function scanCopyRow(
  bytes: Uint8Array,
  start: number,
  end: number,
  starts: Int32Array,
  ends: Int32Array,
  cell: number,
  columns: number,
): void {
  const last = end - 1;
  if (last < start || bytes[last] !== NEWLINE) throw new ProtocolError('a copied row has no end');
  if (columns === 0) {
    if (last !== start) throw new ProtocolError('a copied row has columns where its table has none');
    return;
  }
  let column = 0;
  let from = start;
  let at = start;
  for (;;) {
    let code = 0;
    while (at < last) {
      code = bytes[at]!;
      if (code === TAB || code === BACKSLASH) break;
      at += 1;
    }
    let isNull = false;
    let to = at;
    if (at < last && code === BACKSLASH) {
      isNull = at === from && bytes[at + 1] === UPPER_N;
      if (isNull) at += 2;
      else {
        while (at < last) {
          code = bytes[at]!;
          if (code === TAB) break;
          if (code === BACKSLASH) {
            at += 1;
            code = UNESCAPED[bytes[at]!]!;
          }
          bytes[to] = code;
          to += 1;
          at += 1;
        }
      }
    }
    if (column === columns) throw new ProtocolError(`a copied row has more than ${columns} columns`);
    starts[cell + column] = isNull ? NULL_CELL : from;
    ends[cell + column] = isNull ? NULL_CELL : to;
    column += 1;
    if (at >= last) break;
    if (bytes[at] !== TAB) throw new ProtocolError('a copied NULL is followed by something');
    at += 1;
    from = at;
  }
  if (column !== columns) throw new ProtocolError(`a copied row has ${column} columns instead of ${columns}`);
}
