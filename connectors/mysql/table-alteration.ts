import type { CatalogTable } from './catalog-column.ts';
import { readDeclaredColumn } from './declared-column.ts';
import { declaredDefault } from './declared-default.ts';
import { readAddedIndex, skipClause } from './declared-index.ts';
import { type DeclarationContext, readCharset } from './declared-type.ts';
import { StatementTokens } from './statement-tokens.ts';
import { TableDraft } from './table-draft.ts';

/** Clauses that leave columns and keys alone. */
const HARMLESS = [
  'engine',
  'type',
  'auto_increment',
  'comment',
  'row_format',
  'key_block_size',
  'checksum',
  'delay_key_write',
  'avg_row_length',
  'max_rows',
  'min_rows',
  'pack_keys',
  'stats_persistent',
  'stats_auto_recalc',
  'stats_sample_pages',
  'algorithm',
  'lock',
  'force',
  'enable',
  'disable',
  'validate',
];

type Context = Omit<DeclarationContext, 'defaultCharset'>;

/**
 * What an `ALTER TABLE` makes of a table, without asking anyone.
 * @returns null for a statement with anything in it that is not known for sure: nothing is guessed here.
 */
export function alterTable(before: CatalogTable, text: string, sqlMode: number, context: Context): CatalogTable | null {
  if (!isPlain(text)) return null;
  const tokens = new StatementTokens(text, sqlMode);
  if (!tokens.skipWord('alter')) return null;
  while (tokens.skipWord('online', 'ignore')) {
    // Nothing: they change how, not what.
  }
  if (!tokens.skipWord('table')) return null;
  if (tokens.skipWord('if') && !tokens.skipWord('exists')) return null;
  if (!skipName(tokens)) return null;
  // MariaDB
  if (tokens.skipWord('wait')) tokens.next();
  tokens.skipWord('nowait');
  const draft = new TableDraft(before, context);
  do {
    if (!readClause(tokens, draft, context)) return null;
  } while (tokens.skipSymbol(','));
  tokens.skipSymbol(';');
  return tokens.peek() === null ? draft.finish() : null;
}

/**
 * Without what means different things to different servers (executable comments) or SQL modes (backslashes), and without
 * characters that were lost on the way here.
 */
export function isPlain(text: string): boolean {
  return !/\/\*M?!|\\|\ufffd/.test(text);
}

export function skipName(tokens: StatementTokens): boolean {
  return readNamePart(tokens) !== null && (!tokens.skipSymbol('.') || readNamePart(tokens) !== null);
}

function readNamePart(tokens: StatementTokens): string | null {
  const token = tokens.next();
  return token?.kind === 'word' || token?.kind === 'name' ? token.text : null;
}

function readClause(tokens: StatementTokens, draft: TableDraft, context: Context): boolean {
  const word = tokens.next();
  if (word?.kind !== 'word') return false;
  switch (word.text.toLowerCase()) {
    case 'add':
      return readAdd(tokens, draft, context);
    case 'drop':
      return readDrop(tokens, draft);
    case 'modify':
    case 'change':
      return readChange(tokens, draft, word.text.toLowerCase() === 'change', context);
    case 'rename':
      return readRename(tokens, draft);
    case 'alter':
      return readAlterColumn(tokens, draft, context);
    case 'default':
    case 'character':
    case 'charset':
    case 'collate':
      return readTableCharset(tokens, draft, word.text.toLowerCase(), context);
    default:
      if (!HARMLESS.includes(word.text.toLowerCase())) return false;
      skipClause(tokens);
      return true;
  }
}

function readAdd(tokens: StatementTokens, draft: TableDraft, context: Context): boolean {
  const isColumn = tokens.skipWord('column');
  if (!isColumn) {
    const index = readAddedIndex(tokens);
    if (index !== 'none') return index !== null && draft.addIndex(index);
  }
  const isConditional = tokens.skipWord('if');
  if (isConditional && !(tokens.skipWord('not') && tokens.skipWord('exists'))) return false;
  const columnContext = { ...context, defaultCharset: draft.defaultCharset };
  const isList = tokens.skipSymbol('(');
  do {
    const name = readNamePart(tokens);
    if (name === null) return false;
    const declared = readDeclaredColumn(tokens, name, columnContext);
    if (declared === null) return false;
    if (isConditional && draft.has(name)) continue;
    if (!draft.add(declared)) return false;
  } while (isList && tokens.skipSymbol(','));
  return !isList || tokens.skipSymbol(')');
}

function readDrop(tokens: StatementTokens, draft: TableDraft): boolean {
  if (tokens.skipWord('primary')) return tokens.skipWord('key') && draft.dropPrimary();
  if (tokens.skipWord('foreign', 'check', 'constraint')) {
    const isKey = tokens.skipWord('key');
    if (tokens.skipWord('if')) tokens.skipWord('exists');
    const name = readNamePart(tokens);
    // A constraint may be a unique one.
    if (name !== null && !isKey) draft.dropIndex(name);
    return name !== null;
  }
  const isIndex = tokens.skipWord('index', 'key');
  if (!isIndex) tokens.skipWord('column');
  const isConditional = tokens.skipWord('if');
  if (isConditional && !tokens.skipWord('exists')) return false;
  const name = readNamePart(tokens);
  if (name === null || /^partition$/i.test(name)) return false;
  tokens.skipWord('restrict', 'cascade');
  if (isIndex) {
    draft.dropIndex(name);
    return true;
  }
  return draft.drop(name) || isConditional;
}

function readChange(tokens: StatementTokens, draft: TableDraft, isChange: boolean, context: Context): boolean {
  tokens.skipWord('column');
  const isConditional = tokens.skipWord('if');
  if (isConditional && !tokens.skipWord('exists')) return false;
  const from = readNamePart(tokens);
  const to = isChange ? readNamePart(tokens) : from;
  if (from === null || to === null) return false;
  const declared = readDeclaredColumn(tokens, to, { ...context, defaultCharset: draft.defaultCharset });
  if (declared === null) return false;
  if (isConditional && !draft.has(from)) return true;
  const name = isChange ? to : (draft.column(from)?.name ?? to);
  return draft.replace(from, { ...declared, column: { ...declared.column, name } });
}

/** The table's own new name is read elsewhere. */
function readRename(tokens: StatementTokens, draft: TableDraft): boolean {
  const isColumn = tokens.skipWord('column');
  const isIndex = !isColumn && tokens.skipWord('index', 'key');
  if (!isColumn && !isIndex) {
    tokens.skipWord('to', 'as') || tokens.skipSymbol('=');
    return skipName(tokens);
  }
  if (tokens.skipWord('if')) return false;
  const from = readNamePart(tokens);
  const isTo = tokens.skipWord('to');
  const to = readNamePart(tokens);
  if (from === null || to === null || !isTo) return false;
  if (isColumn) return draft.rename(from, to);
  draft.renameIndex(from, to);
  return true;
}

/** `ALTER COLUMN c SET DEFAULT 5`, `DROP DEFAULT`: only of columns whose type the catalog tells plainly. */
function readAlterColumn(tokens: StatementTokens, draft: TableDraft, context: Context): boolean {
  tokens.skipWord('column');
  const name = readNamePart(tokens);
  const column = name === null ? undefined : draft.column(name);
  if (name === null || column === undefined) return false;
  if (tokens.skipWord('drop')) return tokens.skipWord('default') && draft.change(name, { default: null });
  if (!tokens.skipWord('set') || !tokens.skipWord('default')) return false;
  const [, typeName = '', list = ''] = /^([a-z]+)(?:\((\d+(?:,\d+)?)\))?/.exec(column.columnType) ?? [];
  const isWidth = typeName.endsWith('int');
  const type = {
    name: typeName,
    args: list === '' || isWidth ? [] : list.split(',').map(Number),
    columnType: column.columnType,
    charset: column.charset,
  };
  const standard = declaredDefault(tokens, type, { ...context, defaultCharset: null });
  return standard !== undefined && draft.change(name, { default: standard });
}

/** Of columns that come later; those that are there keep theirs. */
function readTableCharset(tokens: StatementTokens, draft: TableDraft, word: string, context: Context): boolean {
  if (word === 'character' && !tokens.skipWord('set')) return false;
  if (word === 'default' && tokens.peek()?.kind !== 'word') return false;
  if (word === 'default' && !/^(character|charset|collate)$/i.test(tokens.peek()?.text ?? '')) return false;
  let charset: string | null | undefined;
  if (word === 'default') charset = readCharset(tokens, context);
  else {
    tokens.skipSymbol('=');
    const name = tokens.next()?.text.toLowerCase().split('_')[0];
    const rest = readCharset(tokens, context);
    if (name === undefined || name === 'default' || rest === undefined) return false;
    charset = rest ?? (name === 'utf8' || name === 'utf8mb3' ? context.utf8 : name);
  }
  if (charset === undefined || charset === null) return false;
  draft.defaultCharset = charset;
  return true;
}
