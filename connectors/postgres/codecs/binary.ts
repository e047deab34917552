import { Scratch } from '../../../src/core/codecs/scratch.ts';
import type { ValueWriter } from '../../../src/core/value-writer.ts';
import type { TypeModes } from '../pg-type.ts';
import { codec, malformed, type PostgresCodec } from './codec.ts';
import { unavailableBytes, unavailableText } from './placeholder.ts';

const decoded = new Scratch();
const HEX = '0123456789abcdef';

/** Values of hexadecimal digits by character code; 255 for every other byte. */
const NIBBLES = new Uint8Array(256).fill(255);
for (let value = 0; value < 16; value++) {
  NIBBLES[HEX.charCodeAt(value)] = value;
  NIBBLES[HEX.toUpperCase().charCodeAt(value)] = value;
}

/** `bytea` as `\x00ff` (`bytea_output=hex`). */
export function byteaCodec(modes: TypeModes): PostgresCodec {
  const write = binaryWriter(modes);
  return binaryCodec(modes, (bytes, start, end, out) => {
    if (bytes[start] !== 0x5c || bytes[start + 1] !== 0x78) throw malformed('bytea in hex format');
    const length = decodeHex(bytes, start + 2, end, 'bytea');
    write(decoded.bytes, 0, length, out);
    decoded.end();
  });
}

/** The text form of a type that Debezium does not know, or the content of a logical message: bytes as they are. */
export function rawBytesCodec(modes: TypeModes): PostgresCodec {
  return binaryCodec(modes, binaryWriter(modes));
}

/** Decodes hexadecimal digits into memory that the next call overwrites. @returns the number of bytes */
export function decodeHex(bytes: Uint8Array, start: number, end: number, typeName: string): number {
  const length = (end - start) >>> 1;
  const target = decoded.begin(length);
  if (start > end || (end - start) % 2 !== 0) throw malformed(typeName);
  let seen = 0;
  for (let at = start, to = 0; to < length; at += 2, to++) {
    const high = NIBBLES[bytes[at]!]!;
    const low = NIBBLES[bytes[at + 1]!]!;
    seen |= high | low;
    target[to] = (high << 4) | low;
  }
  if (seen > 15) throw malformed(typeName);
  return length;
}

export function decodedHex(): Uint8Array {
  return decoded.bytes;
}

type WriteBinary = (bytes: Uint8Array, start: number, end: number, out: ValueWriter) => void;

function binaryCodec(modes: TypeModes, write: WriteBinary): PostgresCodec {
  const isText = modes.binary !== 'bytes';
  return codec(
    { type: isText ? 'string' : 'bytes' },
    (bytes, start, end, out) => {
      write(bytes, start, end, out);
      return true;
    },
    (out) => (isText ? out.text('') : out.bytes(decoded.bytes, 0, 0)),
    isText ? unavailableText(modes) : unavailableBytes(modes),
  );
}

function binaryWriter(modes: TypeModes): WriteBinary {
  switch (modes.binary) {
    case 'bytes':
      return (bytes, start, end, out) => out.bytes(bytes, start, end);
    case 'hex':
      return (bytes, start, end, out) => out.text(view(bytes, start, end).toString('hex'));
    case 'base64':
      return (bytes, start, end, out) => out.text(view(bytes, start, end).toString('base64'));
    case 'base64-url-safe':
      // Java's URL-safe encoder pads, Node's does not.
      return (bytes, start, end, out) => {
        const base64 = view(bytes, start, end).toString('base64');
        out.text(base64.replaceAll('+', '-').replaceAll('/', '_'));
      };
  }
}

function view(bytes: Uint8Array, start: number, end: number): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start);
}
