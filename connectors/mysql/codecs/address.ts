import { columnCodec, semantic } from '../../../src/core/codecs/codec.ts';
import { unavailableText } from '../../../src/core/codecs/placeholder.ts';
import type { ColumnCodec } from '../../../src/core/table.ts';
import type { TypeModes } from '../mysql-type.ts';
import { malformed } from './malformed.ts';

/** Trailing zero bytes of these types are left out of the log, as of BINARY. */
function padded(bytes: Uint8Array, start: number, end: number, size: number, typeName: string): Buffer {
  if (end - start > size) throw malformed(typeName);
  const whole = Buffer.alloc(size);
  whole.set(bytes.subarray(start, end));
  return whole;
}

function uuidText(bytes: Uint8Array, start: number, end: number): string {
  const hex = padded(bytes, start, end, 16, 'UUID').toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

function inet4Text(bytes: Uint8Array, start: number, end: number): string {
  return padded(bytes, start, end, 4, 'INET4').join('.');
}

/** UUID of MariaDB 10.7: the 16 bytes in the order in which they are printed. */
export function uuidCodec(modes: TypeModes): ColumnCodec {
  return columnCodec(
    semantic('string', 'io.debezium.data.Uuid'),
    (bytes, start, end, out) => {
      out.text(uuidText(bytes, start, end));
      return true;
    },
    (out) => out.text(''),
    unavailableText(modes),
  );
}

/** INET4 of MariaDB 10.10: four bytes. */
export function inet4Codec(modes: TypeModes): ColumnCodec {
  return columnCodec(
    { type: 'string' },
    (bytes, start, end, out) => {
      out.text(inet4Text(bytes, start, end));
      return true;
    },
    (out) => out.text('0.0.0.0'),
    unavailableText(modes),
  );
}

/** INET6 of MariaDB 10.5: sixteen bytes, printed as `INET6_NTOA` does. */
export function inet6Codec(modes: TypeModes): ColumnCodec {
  return columnCodec(
    { type: 'string' },
    (bytes, start, end, out) => {
      out.text(inet6Text(bytes, start, end));
      return true;
    },
    (out) => out.text('::'),
    unavailableText(modes),
  );
}

/** RFC 5952 but for this: a run of one zero is shortened too, the first of the longest, and IPv4 addresses within are printed as such. */
function inet6Text(value: Uint8Array, start: number, end: number): string {
  const bytes = padded(value, start, end, 16, 'INET6');
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(index * 2));
  let best = { start: -1, length: 0 };
  for (let index = 0; index < 8; index++) {
    let length = 0;
    while (index + length < 8 && groups[index + length] === 0) length += 1;
    if (length > best.length) best = { start: index, length };
  }
  const isMapped = best.start === 0 && best.length === 5 && groups[5] === 0xffff;
  const isCompatible = best.start === 0 && best.length === 6;
  const hex = (from: number, to: number) =>
    groups
      .slice(from, to)
      .map((group) => group.toString(16))
      .join(':');
  if (isMapped || isCompatible) {
    return `::${isMapped ? 'ffff:' : ''}${bytes.subarray(12).join('.')}`;
  }
  if (best.length === 0) return hex(0, 8);
  return `${hex(0, best.start)}::${hex(best.start + best.length, 8)}`;
}

/** What the server prints of a value of the log, by the declared type. */
export const ADDRESS_TEXTS: Readonly<Record<string, (bytes: Uint8Array, start: number, end: number) => string>> = {
  uuid: uuidText,
  inet4: inet4Text,
  inet6: inet6Text,
};
