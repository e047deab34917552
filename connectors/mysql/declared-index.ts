import type { UniqueIndex } from './catalog-column.ts';
import type { StatementTokens } from './statement-tokens.ts';

const OTHER_INDEXES = ['index', 'key', 'fulltext', 'spatial', 'foreign', 'check'];

/** The columns of an index, with what is in front of them and behind: `[name] [USING x] (a, b(10)) …`. */
export function readIndexParts(
  tokens: StatementTokens,
): { readonly name: string | null; readonly parts: UniqueIndex['parts'] } | null {
  let name: string | null = null;
  if (!tokens.skipWord('using')) {
    const token = tokens.peek();
    if (token?.kind === 'word' || token?.kind === 'name') name = tokens.next()?.text ?? null;
    if (tokens.skipWord('using')) tokens.next();
  } else tokens.next();
  if (!tokens.skipSymbol('(')) return null;
  const parts: { column: string; isWhole: boolean }[] = [];
  do {
    const token = tokens.next();
    // A bracket opens an expression.
    if (token?.kind !== 'word' && token?.kind !== 'name') return null;
    const isWhole = !tokens.skipSymbol('(');
    if (!isWhole && (tokens.next() === null || !tokens.skipSymbol(')'))) return null;
    tokens.skipWord('asc', 'desc');
    parts.push({ column: token.text, isWhole });
  } while (tokens.skipSymbol(','));
  return tokens.skipSymbol(')') ? { name, parts } : null;
}

/** The name that the server gives to an index without one: that of its first column, with a number where it is taken. */
export function indexName(first: string, uniques: readonly UniqueIndex[]): string {
  const taken = new Set(uniques.map(({ name }) => name.toLowerCase()));
  let name = first;
  for (let number = 2; taken.has(name.toLowerCase()); number++) name = `${first}_${number}`;
  return name;
}

/** An index that is added. Of those that are not unique nothing but that is known. */
export interface AddedIndex {
  readonly kind: 'primary' | 'unique' | 'other';
  readonly name: string | null;
  readonly parts: UniqueIndex['parts'];
}

/** @returns `none` where no index begins here, but a column; null for one that cannot be read. */
export function readAddedIndex(tokens: StatementTokens): AddedIndex | 'none' | null {
  let symbol: string | null = null;
  if (tokens.skipWord('constraint')) {
    const token = tokens.peek();
    const isWord = token?.kind === 'word' && !/^(primary|unique|foreign|check)$/i.test(token.text);
    if (token?.kind === 'name' || isWord) symbol = tokens.next()?.text ?? null;
    if (tokens.peek()?.kind !== 'word') return null;
  }
  const word = tokens.peek();
  const kind = word?.kind === 'word' ? word.text.toLowerCase() : '';
  if (kind === 'primary' || kind === 'unique') {
    tokens.next();
    const isKey = tokens.skipWord('key', 'index');
    if (kind === 'primary' && !isKey) return null;
    if (tokens.skipWord('if') && !(tokens.skipWord('not') && tokens.skipWord('exists'))) return null;
    const index = readIndexParts(tokens);
    skipClause(tokens);
    return index === null ? null : { kind, name: index.name ?? symbol, parts: index.parts };
  }
  if (!OTHER_INDEXES.includes(kind)) return 'none';
  skipClause(tokens);
  return { kind: 'other', name: null, parts: [] };
}

/** Steps to the comma or bracket that ends a clause, over whatever is in brackets. */
export function skipClause(tokens: StatementTokens): void {
  let depth = 0;
  for (let token = tokens.peek(); token !== null; token = tokens.peek()) {
    if (token.kind === 'symbol') {
      if (depth === 0 && (token.text === ',' || token.text === ')')) return;
      if (token.text === '(') depth += 1;
      if (token.text === ')') depth -= 1;
    }
    tokens.next();
  }
}
