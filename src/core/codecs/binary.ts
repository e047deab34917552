import type { ColumnCodec } from '../table.ts';
import type { ValueWriter } from '../value-writer.ts';
import { columnCodec } from './codec.ts';
import { type UnavailableMode, unavailableBytes, unavailableText } from './placeholder.ts';

export interface BinaryMode extends UnavailableMode {
  /** Debezium's `binary.handling.mode`. */
  readonly binary: 'bytes' | 'base64' | 'base64-url-safe' | 'hex';
}

const NOTHING = new Uint8Array(0);

/** Bytes as they are, in the form that the mode says. */
export function rawBytesCodec(modes: BinaryMode): ColumnCodec {
  return binaryCodec(modes, binaryWriter(modes));
}

export type WriteBinary = (bytes: Uint8Array, start: number, end: number, out: ValueWriter) => void;

/** A codec of binary values of which `write` writes one. */
export function binaryCodec(modes: BinaryMode, write: WriteBinary): ColumnCodec {
  const isText = modes.binary !== 'bytes';
  return columnCodec(
    { type: isText ? 'string' : 'bytes' },
    (bytes, start, end, out) => {
      write(bytes, start, end, out);
      return true;
    },
    (out) => (isText ? out.text('') : out.bytes(NOTHING, 0, 0)),
    isText ? unavailableText(modes) : unavailableBytes(modes),
  );
}

export function binaryWriter(modes: BinaryMode): WriteBinary {
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
