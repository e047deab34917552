import { isUtf8 } from 'node:buffer';
import type { ColumnCodec } from '../../../src/core/table.ts';
import { malformed } from './codec.ts';

/**
 * Checks every value before it is written: a database whose encoding is SQL_ASCII stores any bytes and sends them as they
 * are, whatever the client's encoding.
 */
export function verifiedUtf8(codec: ColumnCodec): ColumnCodec {
  return {
    ...codec,
    write(bytes, start, end, out) {
      if (!isUtf8(bytes.subarray(start, end))) throw malformed('text in UTF-8');
      return codec.write(bytes, start, end, out);
    },
  };
}
