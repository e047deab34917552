import type { ColumnCodec } from '../../src/core/table.ts';
import type { ValueWriter } from '../../src/core/value-writer.ts';
import type { TypeModes } from './pg-type.ts';

/** Codec for the raw bytes of a logical decoding message, by `types.binary`. */
export function messageContentCodec(modes: TypeModes): ColumnCodec {
  const { binary } = modes;
  if (binary === 'bytes') {
    return {
      schema: { type: 'bytes' },
      write(bytes, start, end, out) {
        out.bytes(bytes, start, end);
        return true;
      },
      writeUnavailable: (out) => writeText(out, modes.unavailablePlaceholder),
      writeFallback: (out) => out.bytes(new Uint8Array(0), 0, 0),
    };
  }
  const encoding = binary === 'base64-url-safe' ? 'base64url' : binary;
  return {
    schema: { type: 'string' },
    write(bytes, start, end, out) {
      const text = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString(encoding);
      // Java's URL-safe encoder pads, Node's does not.
      out.text(binary === 'base64-url-safe' ? text.padEnd(Math.ceil(text.length / 4) * 4, '=') : text);
      return true;
    },
    writeUnavailable: (out) => out.text(modes.unavailablePlaceholder),
    writeFallback: (out) => out.text(''),
  };
}

function writeText(out: ValueWriter, text: string): void {
  const bytes = Buffer.from(text, 'utf8');
  out.bytes(bytes, 0, bytes.length);
}
