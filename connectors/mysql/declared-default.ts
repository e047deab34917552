import type { DeclarationContext, DeclaredType } from './declared-type.ts';
import type { StatementTokens, Token } from './statement-tokens.ts';

const CLOCK = ['current_timestamp', 'now', 'localtime', 'localtimestamp'];
const INTEGERS = ['tinyint', 'smallint', 'mediumint', 'int', 'bigint', 'year'];
const CHARACTERS = ['char', 'varchar', 'enum', 'set'];

/**
 * Reads the value behind DEFAULT or ON UPDATE.
 * @returns COLUMN_DEFAULT as the catalog will write it, null for NULL, undefined where that cannot be told.
 */
export function declaredDefault(
  tokens: StatementTokens,
  type: DeclaredType,
  { dialect }: DeclarationContext,
): string | null | undefined {
  const token = tokens.next();
  if (token === null) return undefined;
  if (token.kind === 'text') return literalOf(token.text, type, dialect === 'mariadb');
  const isNegative = token.kind === 'symbol' && token.text === '-';
  const first = isNegative ? tokens.next() : token;
  if (first?.kind !== 'word') return undefined;
  const word = first.text.toLowerCase();
  if (/^\d+$/.test(word)) return numberOf((isNegative ? '-' : '') + number(tokens, first), type);
  if (isNegative) return undefined;
  if (word === 'null') return dialect === 'mariadb' ? 'NULL' : null;
  if ((word === 'true' || word === 'false') && INTEGERS.includes(type.name)) return word === 'true' ? '1' : '0';
  if (CLOCK.includes(word)) return clock(tokens, dialect === 'mariadb');
  return undefined;
}

/** Digits, and what is behind a point. */
function number(tokens: StatementTokens, first: Token): string {
  if (!tokens.skipSymbol('.')) return first.text;
  const fraction = tokens.next();
  return `${first.text}.${fraction?.text ?? ''}`;
}

function numberOf(text: string, type: DeclaredType): string | undefined {
  // Written with zeros, as many as the width has.
  if (type.columnType.endsWith('zerofill')) return undefined;
  if (INTEGERS.includes(type.name)) return /^-?\d+$/.test(text) ? String(BigInt(text)) : undefined;
  if (type.name === 'decimal') return decimalOf(text, type.args[1] ?? 0);
  if (type.name === 'float' || type.name === 'double') {
    return type.args.length === 0 && /^-?(0|[1-9]\d{0,5})(\.\d{0,3}[1-9])?$/.test(text) ? text : undefined;
  }
  return undefined;
}

function decimalOf(text: string, scale: number): string | undefined {
  const [, sign = '', whole = '', fraction = ''] = /^(-?)(\d+)(?:\.(\d*))?$/.exec(text) ?? [];
  if (whole === '' || fraction.length > scale) return undefined;
  return `${sign}${BigInt(whole)}${scale === 0 ? '' : `.${fraction.padEnd(scale, '0')}`}`;
}

/** MariaDB writes what is a literal in quotes, numbers without. */
function literalOf(text: string, type: DeclaredType, isQuoted: boolean): string | undefined {
  if (INTEGERS.includes(type.name) || type.name === 'decimal') {
    return /^-?\d+(\.\d+)?$/.test(text) ? numberOf(text, type) : undefined;
  }
  const isDate = type.name === 'date' && /^\d{4}-\d\d-\d\d$/.test(text);
  const isDateTime =
    type.name === 'datetime' && type.args.length === 0 && /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/.test(text);
  if (!isDate && !isDateTime && !CHARACTERS.includes(type.name)) return undefined;
  return isQuoted ? `'${text.replaceAll("'", "''")}'` : text;
}

function clock(tokens: StatementTokens, isMariadb: boolean): string | undefined {
  let digits = '';
  if (tokens.skipSymbol('(') && !tokens.skipSymbol(')')) {
    digits = tokens.next()?.text ?? '';
    if (!/^\d$/.test(digits) || !tokens.skipSymbol(')')) return undefined;
  }
  if (isMariadb) return `current_timestamp(${digits === '0' ? '' : digits})`;
  return digits === '' || digits === '0' ? 'CURRENT_TIMESTAMP' : `CURRENT_TIMESTAMP(${digits})`;
}
