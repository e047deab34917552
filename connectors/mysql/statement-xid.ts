import { xidText } from './protocol/xa.ts';
import type { StatementTokens } from './statement-tokens.ts';

/** The xid of an XA statement, in the form of XA_PREPARE events: `X'6731',X'',1`. */
export function readXid(tokens: StatementTokens): string {
  const gtrid = readPart(tokens);
  const bqual = tokens.skipSymbol(',') ? readPart(tokens) : '';
  const format = tokens.skipSymbol(',') ? readNumber(tokens) : 1;
  return xidText(gtrid, bqual, format);
}

/** `X'6731'`, `0x6731` or `'g1'`, as lower-case hexadecimal. */
function readPart(tokens: StatementTokens): string {
  const token = tokens.next();
  if (token === null) return '';
  if (token.kind === 'text') return Buffer.from(token.text, 'utf8').toString('hex');
  if (/^x$/i.test(token.text)) return (tokens.next()?.text ?? '').toLowerCase();
  return token.text.replace(/^0x/i, '').toLowerCase();
}

function readNumber(tokens: StatementTokens): number {
  const isNegative = tokens.skipSymbol('-');
  const magnitude = Number(tokens.next()?.text ?? '1');
  return isNegative ? -magnitude : magnitude;
}
