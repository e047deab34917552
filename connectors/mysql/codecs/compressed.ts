import { inflateRawSync, inflateSync } from 'node:zlib';
import type { ColumnCodec } from '../../../src/core/table.ts';
import { malformed } from './malformed.ts';

const STORED = 0;
const ZLIB = 8;
const WITHOUT_WRAPPER = 0x08;

/**
 * COMPRESSED columns of MariaDB: an empty value has no bytes; of others the first byte has the method in its upper half.
 * What was not worth compressing follows as it is. Compressed with zlib, the lower half has the number of bytes of the
 * length, big-endian, that comes next, and a bit that says whether zlib's own header and checksum are left out.
 * @param codec of the column if it were not compressed
 * @see https://mariadb.com/kb/en/storage-engine-independent-column-compression/ and the server's field_comp.cc
 */
export function compressedCodec(codec: ColumnCodec): ColumnCodec {
  return {
    schema: codec.schema,
    write(bytes, start, end, out) {
      if (start === end) return codec.write(bytes, start, end, out);
      const head = bytes[start] as number;
      const method = head >> 4;
      if (method === STORED) return codec.write(bytes, start + 1, end, out);
      if (method !== ZLIB) throw malformed('compressed column');
      const content = inflated(bytes, start + 1, end, head);
      return codec.write(content, 0, content.length, out);
    },
    writeFallback: (out) => codec.writeFallback(out),
    writeUnavailable: (out) => codec.writeUnavailable(out),
  };
}

function inflated(bytes: Uint8Array, start: number, end: number, head: number): Buffer {
  const lengthBytes = head & 7;
  if (lengthBytes < 1 || lengthBytes > 4 || start + lengthBytes > end) throw malformed('compressed column');
  const length = (bytes as Buffer).readUIntBE(start, lengthBytes);
  const inflate = (head & WITHOUT_WRAPPER) === 0 ? inflateSync : inflateRawSync;
  let content: Buffer;
  try {
    content = inflate(bytes.subarray(start + lengthBytes, end), { maxOutputLength: Math.max(length, 1) });
  } catch {
    // zlib's words may quote nothing of the value, but say nothing that helps either.
    throw malformed('compressed column');
  }
  if (content.length !== length) throw malformed('compressed column');
  return content;
}
