/** Character sets of one and two bytes a character, and the library's name for each. */
export const TWO_BYTE_CHARSETS: Readonly<Record<string, string>> = {
  gbk: 'gbk',
  gb2312: 'gbk',
  gb18030: 'gb18030',
  big5: 'big5',
  sjis: 'shiftjis',
  cp932: 'cp932',
  ujis: 'eucjp',
  eucjpms: 'eucjp',
  euckr: 'euckr',
};
