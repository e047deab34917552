import type { CatalogTable } from './catalog-column.ts';
import { readDeclaredColumn } from './declared-column.ts';
import { type AddedIndex, readAddedIndex, readIndexParts } from './declared-index.ts';
import { type DeclarationContext, readCharset } from './declared-type.ts';
import type { TableName } from './statement.ts';
import { StatementTokens } from './statement-tokens.ts';
import { isPlain, skipName } from './table-alteration.ts';
import { TableDraft } from './table-draft.ts';

/** What a `CREATE TABLE` makes, or the table that it copies. */
export type Creation =
  | { readonly kind: 'table'; readonly table: CatalogTable; readonly isConditional: boolean }
  | { readonly kind: 'like'; readonly name: TableName; readonly isConditional: boolean };

/**
 * Reads a `CREATE TABLE`.
 * @param context with the character set of the database; null where it is not known
 * @returns null where anything in it is not known for sure
 */
export function readCreateTable(
  text: string,
  database: string,
  sqlMode: number,
  context: DeclarationContext,
): Creation | null {
  if (!isPlain(text)) return null;
  const tokens = opened(text, sqlMode);
  if (tokens === null) return null;
  const { isConditional } = tokens;
  const like = readLike(tokens.tokens, database);
  if (like !== null) return { kind: 'like', name: like, isConditional };
  const options = opened(text, sqlMode)?.tokens;
  if (options === undefined || !skipBrackets(options)) return null;
  const own = tableCharset(options, context);
  if (own === undefined) return null;
  const defaultCharset = own ?? context.defaultCharset;
  const draft = new TableDraft({ columns: [], uniques: [], defaultCharset }, context);
  if (!readElements(tokens.tokens, draft, { ...context, defaultCharset })) return null;
  return { kind: 'table', table: draft.finish(), isConditional };
}

/** The tokens behind the table's name. */
function opened(text: string, sqlMode: number): { tokens: StatementTokens; isConditional: boolean } | null {
  const tokens = new StatementTokens(text, sqlMode);
  if (!tokens.skipWord('create')) return null;
  if (tokens.skipWord('or') && !tokens.skipWord('replace')) return null;
  if (!tokens.skipWord('table')) return null;
  const isConditional = tokens.skipWord('if');
  if (isConditional && !(tokens.skipWord('not') && tokens.skipWord('exists'))) return null;
  return skipName(tokens) ? { tokens, isConditional } : null;
}

function readLike(tokens: StatementTokens, database: string): TableName | null {
  const isBracketed = tokens.peek()?.text === '(';
  if (isBracketed || !tokens.skipWord('like')) return null;
  const first = tokens.next();
  if (first?.kind !== 'word' && first?.kind !== 'name') return null;
  if (!tokens.skipSymbol('.')) return { database, table: first.text };
  const second = tokens.next();
  return second?.kind === 'word' || second?.kind === 'name' ? { database: first.text, table: second.text } : null;
}

function skipBrackets(tokens: StatementTokens): boolean {
  let depth = 0;
  for (let token = tokens.next(); token !== null; token = tokens.next()) {
    if (token.kind !== 'symbol') {
      if (depth === 0) return false;
      continue;
    }
    if (token.text === '(') depth += 1;
    if (token.text === ')') depth -= 1;
    if (depth === 0) return true;
  }
  return false;
}

/** Among the options of the table; a query behind them would add columns. */
function tableCharset(tokens: StatementTokens, context: DeclarationContext): string | null | undefined {
  let charset: string | null = null;
  for (let token = tokens.peek(); token !== null; token = tokens.peek()) {
    const word = token.kind === 'word' ? token.text.toLowerCase() : '';
    if (['select', 'as', 'with', 'values', 'table', 'replace', 'ignore'].includes(word)) return undefined;
    // Behind them, brackets may hold anything.
    if (word === 'partition') return charset;
    if (['charset', 'character', 'collate'].includes(word)) {
      const said = readCharset(tokens, context);
      if (said === undefined) return undefined;
      charset = said ?? charset;
    } else tokens.next();
  }
  return charset;
}

function readElements(tokens: StatementTokens, draft: TableDraft, context: DeclarationContext): boolean {
  if (!tokens.skipSymbol('(')) return false;
  if (tokens.peek()?.kind === 'word' && /^(like|period)$/i.test(tokens.peek()?.text ?? '')) return false;
  // Indexes may stand before their columns.
  const indexes: AddedIndex[] = [];
  do {
    const index = readAddedIndex(tokens);
    if (index === null) return false;
    if (index !== 'none') {
      indexes.push(index);
      continue;
    }
    const name = tokens.next();
    if (name?.kind !== 'word' && name?.kind !== 'name') return false;
    const declared = readDeclaredColumn(tokens, name.text, context);
    if (declared === null || declared.place !== null) return false;
    const { column, isPrimary, isUnique } = declared;
    if (!draft.add({ column, isPrimary: false, isUnique: false, place: null })) return false;
    const parts = [{ column: column.name, isWhole: true }];
    if (isPrimary) indexes.push({ kind: 'primary', name: null, parts });
    if (isUnique) indexes.push({ kind: 'unique', name: null, parts });
  } while (tokens.skipSymbol(','));
  return tokens.skipSymbol(')') && indexes.every((index) => draft.addIndex(index));
}

/**
 * What `CREATE [UNIQUE] INDEX` or `DROP INDEX` makes of a table.
 * @returns null where that cannot be told
 */
export function changeIndex(
  before: CatalogTable,
  text: string,
  sqlMode: number,
  context: Pick<DeclarationContext, 'givesKeysDefaults'>,
): CatalogTable | null {
  if (!isPlain(text)) return null;
  const tokens = new StatementTokens(text, sqlMode);
  const draft = new TableDraft(before, context);
  if (tokens.skipWord('drop')) {
    tokens.skipWord('online', 'offline');
    const name = tokens.skipWord('index') && !tokens.skipWord('if') ? tokens.next() : null;
    if (name?.kind !== 'word' && name?.kind !== 'name') return null;
    if (name.text.toLowerCase() === 'primary' && !draft.dropPrimary()) return null;
    draft.dropIndex(name.text);
    return draft.finish();
  }
  if (!tokens.skipWord('create')) return null;
  tokens.skipWord('online', 'offline');
  if (tokens.skipWord('or')) return null;
  if (!tokens.skipWord('unique')) return before;
  const name = tokens.skipWord('index') ? tokens.next() : null;
  if (name?.kind !== 'word' && name?.kind !== 'name') return null;
  if (tokens.skipWord('using')) tokens.next();
  if (!tokens.skipWord('on') || !skipName(tokens)) return null;
  const index = readIndexParts(tokens);
  return index !== null && draft.addIndex({ kind: 'unique', name: name.text, parts: index.parts })
    ? draft.finish()
    : null;
}
