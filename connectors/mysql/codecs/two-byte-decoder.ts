import iconv from 'iconv-lite';
import { TWO_BYTE_EXCEPTIONS } from './two-byte-exceptions.ts';

/**
 * Decodes a character set of one and two bytes a character with the library, but for the characters that are others to the
 * server than to everybody else.
 */
export function twoByteDecoder(charset: string, encoding: string): (bytes: Uint8Array) => string {
  const exceptions = new Map<number, string>();
  const pairs = TWO_BYTE_EXCEPTIONS[charset] ?? '';
  for (let at = 0; at < pairs.length; at += 2) exceptions.set(pairs.charCodeAt(at), pairs[at + 1] as string);
  return (bytes) => {
    let text = '';
    let from = 0;
    let at = 0;
    while (at < bytes.length) {
      const length = characterLength(charset, bytes, at);
      const pair = length === 2 ? ((bytes[at] as number) << 8) | (bytes[at + 1] as number) : -1;
      const exception = exceptions.get(pair);
      if (exception !== undefined) {
        text += iconv.decode(Buffer.from(bytes.subarray(from, at)), encoding) + exception;
        from = at + 2;
      }
      at += length;
    }
    return text + iconv.decode(Buffer.from(bytes.subarray(from)), encoding);
  };
}

/** Bytes of the character at `at`: Japanese has single-byte syllables and a third plane, GB 18030 four bytes. */
function characterLength(charset: string, bytes: Uint8Array, at: number): number {
  const lead = bytes[at] as number;
  if (lead < 0x80) return 1;
  if (charset === 'sjis' || charset === 'cp932') return lead >= 0xa1 && lead <= 0xdf ? 1 : 2;
  if (charset === 'ujis' || charset === 'eucjpms') return lead === 0x8f ? 3 : 2;
  const trail = bytes[at + 1] ?? 0;
  return charset === 'gb18030' && trail >= 0x30 && trail <= 0x39 ? 4 : 2;
}
