import type { Dialect } from './mysql-type.ts';
import type { StatementTokens } from './statement-tokens.ts';

/** What a declaration means depends on the server that runs it. */
export interface DeclarationContext {
  readonly dialect: Dialect;
  /** Whether the catalog says `int(11)`, as all do but MySQL from 8.0.19 on. */
  readonly showsWidths: boolean;
  /** Whether EXTRA has DEFAULT_GENERATED: MySQL from 8.0.13 on. */
  readonly marksComputedDefaults: boolean;
  /** Whether a column that may be NULL gets a default of zero when it becomes part of a primary key: MySQL before 5.7. */
  readonly givesKeysDefaults: boolean;
  /** What the catalog calls `utf8`. */
  readonly utf8: string;
  /** Character set of columns that have none of their own; null where it is not known. */
  readonly defaultCharset: string | null;
}

/** The server's version decides how the catalog writes things down. */
export function declarationContextOf(dialect: Dialect, version: string): Omit<DeclarationContext, 'defaultCharset'> {
  const [major = 0, minor = 0, patch = 0] = version.split(/[.-]/).map(Number);
  const number = major * 10_000 + minor * 100 + patch;
  const isMysql = dialect === 'mysql';
  return {
    dialect,
    showsWidths: !isMysql || number < 80_019,
    marksComputedDefaults: isMysql && number >= 80_013,
    givesKeysDefaults: isMysql && number < 50_700,
    utf8: number >= (isMysql ? 80_030 : 100_600) ? 'utf8mb3' : 'utf8',
  };
}

export interface DeclaredType {
  /** Its name as the catalog has it: `int`, `varchar`. */
  readonly name: string;
  readonly args: readonly number[];
  /** COLUMN_TYPE as the catalog will write it. */
  readonly columnType: string;
  /** CHARACTER_SET_NAME, null of types without one. */
  readonly charset: string | null;
}

const ALIASES: Readonly<Record<string, string>> = {
  integer: 'int',
  dec: 'decimal',
  numeric: 'decimal',
};
/** Display widths, signed and unsigned. */
const WIDTHS: Readonly<Record<string, readonly [number, number]>> = {
  tinyint: [4, 3],
  smallint: [6, 5],
  mediumint: [9, 8],
  int: [11, 10],
  bigint: [20, 20],
};
const PLAIN = ['date', 'tinyblob', 'blob', 'mediumblob', 'longblob', 'geometry', 'point', 'linestring', 'polygon'];
const TEXTS = ['tinytext', 'text', 'mediumtext', 'longtext'];
const TEMPORAL = ['datetime', 'timestamp', 'time'];
const LENGTHS = ['char', 'varchar', 'binary', 'varbinary'];

/** Reads a type with its sign and character set; null where it is not one of the plain ones. */
export function readDeclaredType(tokens: StatementTokens, context: DeclarationContext): DeclaredType | null {
  const word = tokens.next();
  if (word?.kind !== 'word') return null;
  const said = word.text.toLowerCase();
  if (said === 'bool' || said === 'boolean')
    return { name: 'tinyint', args: [1], columnType: 'tinyint(1)', charset: null };
  const name = ALIASES[said] ?? said;
  if (name === 'double') tokens.skipWord('precision');
  if (name === 'enum' || name === 'set') return readLabels(tokens, name, context);
  const args = readArguments(tokens);
  if (args === null) return null;
  const plain = (columnType: string): DeclaredType => ({ name, args, columnType, charset: null });
  if (WIDTHS[name] !== undefined) return readInteger(tokens, name, args, context);
  if (PLAIN.includes(name)) return args.length === 0 ? plain(name) : null;
  if (name === 'json') return context.dialect === 'mysql' && args.length === 0 ? plain(name) : null;
  if (name === 'year') return args.length === 0 ? plain(context.showsWidths ? 'year(4)' : 'year') : null;
  if (name === 'bit') return plain(`bit(${args[0] ?? 1})`);
  if (TEMPORAL.includes(name)) return plain(args[0] ? `${name}(${args[0]})` : name);
  if (name === 'decimal') return plain(`decimal(${args[0] ?? 10},${args[1] ?? 0})${signOf(tokens)}`);
  if (name === 'float' || name === 'double') {
    if (args.length === 1) return null;
    return plain(`${name}${args.length === 0 ? '' : `(${args.join(',')})`}${signOf(tokens)}`);
  }
  if (LENGTHS.includes(name)) {
    if (args.length === 0 && name.startsWith('var')) return null;
    const columnType = `${name}(${args[0] ?? 1})`;
    return name.endsWith('binary') ? plain(columnType) : withCharset(tokens, { ...plain(columnType) }, context);
  }
  return TEXTS.includes(name) && args.length === 0 ? withCharset(tokens, plain(name), context) : null;
}

function readArguments(tokens: StatementTokens): number[] | null {
  const args: number[] = [];
  if (!tokens.skipSymbol('(')) return args;
  do {
    const token = tokens.next();
    if (token?.kind !== 'word' || !/^\d+$/.test(token.text)) return null;
    args.push(Number(token.text));
  } while (tokens.skipSymbol(','));
  return tokens.skipSymbol(')') ? args : null;
}

function readInteger(
  tokens: StatementTokens,
  name: string,
  args: readonly number[],
  { dialect, showsWidths }: DeclarationContext,
): DeclaredType {
  const sign = signOf(tokens);
  const isZerofilled = sign.includes('zerofill');
  const [signed, unsigned] = WIDTHS[name] as readonly [number, number];
  const width = args[0] ?? (sign === '' ? signed : unsigned);
  // A width is kept where it has a meaning for clients.
  const isShown =
    showsWidths || isZerofilled || (dialect === 'mysql' && name === 'tinyint' && args[0] === 1 && sign === '');
  return { name, args, columnType: `${name}${isShown ? `(${width})` : ''}${sign}`, charset: null };
}

/** ` unsigned`, ` unsigned zerofill` or nothing. */
function signOf(tokens: StatementTokens): string {
  let isUnsigned = false;
  let isZerofilled = false;
  for (;;) {
    if (tokens.skipWord('unsigned')) isUnsigned = true;
    else if (tokens.skipWord('zerofill')) isZerofilled = true;
    else if (!tokens.skipWord('signed')) break;
  }
  return isZerofilled ? ' unsigned zerofill' : isUnsigned ? ' unsigned' : '';
}

function readLabels(tokens: StatementTokens, name: string, context: DeclarationContext): DeclaredType | null {
  const labels: string[] = [];
  if (!tokens.skipSymbol('(')) return null;
  do {
    const token = tokens.next();
    // The server cuts spaces off.
    if (token?.kind !== 'text' || token.text.endsWith(' ')) return null;
    labels.push(`'${token.text.replaceAll("'", "''")}'`);
  } while (tokens.skipSymbol(','));
  if (!tokens.skipSymbol(')')) return null;
  return withCharset(tokens, { name, args: [], columnType: `${name}(${labels.join(',')})`, charset: null }, context);
}

function withCharset(tokens: StatementTokens, type: DeclaredType, context: DeclarationContext): DeclaredType | null {
  const charset = readCharset(tokens, context);
  if (charset === undefined) return null;
  const found = charset ?? context.defaultCharset;
  // CHAR in the binary character set is BINARY.
  return found === null || found === 'binary' ? null : { ...type, charset: found };
}

/** `CHARACTER SET x`, `COLLATE x`: the character set; null where none is said, undefined where it cannot be told. */
export function readCharset(
  tokens: StatementTokens,
  { utf8 }: Pick<DeclarationContext, 'utf8'>,
): string | null | undefined {
  let charset: string | null = null;
  for (;;) {
    const isCharset = tokens.skipWord('charset') || (tokens.skipWord('character', 'char') && tokens.skipWord('set'));
    if (!isCharset && !tokens.skipWord('collate')) return charset;
    tokens.skipSymbol('=');
    const name = tokens.next();
    if (name === null || name.kind === 'symbol') return undefined;
    const said = name.text.toLowerCase().split('_')[0] as string;
    // `default` and collations without a character set in their name.
    if (said === 'default' || said === 'uca1400') return undefined;
    charset = said === 'utf8' || said === 'utf8mb3' ? utf8 : said;
  }
}
