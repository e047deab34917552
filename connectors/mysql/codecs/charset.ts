/** Character sets whose texts are UTF-8 as they are stored. */
const UTF8_CHARSETS: ReadonlySet<string> = new Set(['utf8mb4', 'utf8mb3', 'utf8', 'ascii']);

/** Labels of the Encoding Standard for the server's names. */
const ENCODINGS: Readonly<Record<string, string>> = {
  latin1: 'windows-1252',
  latin2: 'iso-8859-2',
  latin7: 'iso-8859-13',
  greek: 'iso-8859-7',
  hebrew: 'iso-8859-8',
  latin5: 'windows-1254',
  cp1250: 'windows-1250',
  cp1251: 'windows-1251',
  cp1256: 'windows-1256',
  cp1257: 'windows-1257',
  cp866: 'ibm866',
  koi8r: 'koi8-r',
  koi8u: 'koi8-u',
  macroman: 'macintosh',
  tis620: 'windows-874',
  gbk: 'gbk',
  gb2312: 'gbk',
  gb18030: 'gb18030',
  big5: 'big5',
  sjis: 'shift_jis',
  cp932: 'shift_jis',
  ujis: 'euc-jp',
  eucjpms: 'euc-jp',
  euckr: 'euc-kr',
  ucs2: 'utf-16be',
  utf16: 'utf-16be',
  utf16le: 'utf-16le',
};

/** Character sets in which ASCII characters take more than a byte. */
const WIDE_CHARSETS: ReadonlySet<string> = new Set(['ucs2', 'utf16', 'utf16le', 'utf32']);

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
  if (charset === 'utf32') return decodeUtf32;
  const label = UTF8_CHARSETS.has(charset) ? 'utf-8' : ENCODINGS[charset];
  if (label === undefined) return null;
  const decoder = new TextDecoder(label, { ignoreBOM: true });
  return (bytes) => decoder.decode(bytes);
}

function decodeUtf32(bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let text = '';
  for (let at = 0; at + 4 <= bytes.byteLength; at += 4) text += String.fromCodePoint(view.getUint32(at));
  return text;
}
