import type { ByteReader } from './byte-reader.ts';

/** Reads 16 bytes as `3e11fa47-71ca-11e1-9e33-c80aa9429562`. */
export function readUuid(reader: ByteReader): string {
  return uuidText(reader.hex(16));
}

/** Sets the dashes into 32 hexadecimal digits. */
export function uuidText(hex: string): string {
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
