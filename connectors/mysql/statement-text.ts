import { isUtf8, textDecoderOf } from './codecs/charset.ts';
import type { QueryEvent } from './protocol/query-event.ts';

/**
 * The text of a statement, from the character set of the connection that ran it: names are in it, and in some of them the
 * second byte of a character looks like a quote or a backslash.
 * @param charsets by collation id
 */
export function statementText(
  bytes: Buffer,
  { textStart, textEnd, clientCollation }: QueryEvent,
  charsets: ReadonlyMap<number, string>,
): string {
  const charset = clientCollation === null ? undefined : charsets.get(clientCollation);
  const decode = charset === undefined || isUtf8(charset) ? null : textDecoderOf(charset);
  return decode === null ? bytes.toString('utf8', textStart, textEnd) : decode(bytes.subarray(textStart, textEnd));
}
