import { SINGLE_BYTE_CHARSETS } from './single-byte-charsets.ts';
import { TWO_BYTE_CHARSETS } from './two-byte-charsets.ts';
import { twoByteDecoder } from './two-byte-decoder.ts';

/** Character sets whose texts are UTF-8 as they are stored. */
const UTF8_CHARSETS: ReadonlySet<string> = new Set(['utf8mb4', 'utf8mb3', 'utf8', 'ascii']);

/** Labels of the Encoding Standard for the names of the server. */
const ENCODINGS: Readonly<Record<string, string>> = { ucs2: 'utf-16be', utf16: 'utf-16be', utf16le: 'utf-16le' };

/** Character sets in which ASCII characters take more than a byte, or in which some of their bytes are others (swe7). */
const WIDE_CHARSETS: ReadonlySet<string> = new Set(['ucs2', 'utf16', 'utf16le', 'utf32', 'swe7']);

export type DecodeText = (bytes: Uint8Array) => string;

export function isUtf8(charset: string): boolean {
  return UTF8_CHARSETS.has(charset);
}

/** Whether a text of ASCII characters has the same bytes in UTF-8. */
export function isAsciiCompatible(charset: string): boolean {
  return !WIDE_CHARSETS.has(charset);
}

/** Null where the character set is not known here. */
export function textDecoderOf(charset: string): DecodeText | null {
  const singleByte = SINGLE_BYTE_CHARSETS[charset];
  if (singleByte !== undefined) return (bytes) => decodeSingleBytes(bytes, singleByte);
  const twoByte = TWO_BYTE_CHARSETS[charset];
  if (twoByte !== undefined) return twoByteDecoder(charset, twoByte);
  if (charset === 'utf32') return decodeUtf32;
  const label = UTF8_CHARSETS.has(charset) ? 'utf-8' : ENCODINGS[charset];
  if (label === undefined) return null;
  const decoder = new TextDecoder(label, { ignoreBOM: true });
  return (bytes) => decoder.decode(bytes);
}

function decodeSingleBytes(bytes: Uint8Array, characters: string): string {
  let text = '';
  for (const byte of bytes) text += characters[byte];
  return text;
}

function decodeUtf32(bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let text = '';
  for (let at = 0; at + 4 <= bytes.byteLength; at += 4) text += String.fromCodePoint(view.getUint32(at));
  return text;
}
