import { StatementTokens, type Token } from './statement-tokens.ts';
import { readXid } from './statement-xid.ts';

export interface TableName {
  readonly database: string;
  readonly table: string;
}

/** What a statement of the binlog is about, as far as it matters to who reads rows. */
export type Statement =
  | { readonly kind: 'begin' | 'commit' | 'rollback' | 'rollback-to' | 'transaction' | 'other' }
  | { readonly kind: 'xa-start' | 'xa-commit' | 'xa-rollback'; readonly xid: string }
  | DmlStatement
  | DdlStatement;

export interface DmlStatement {
  readonly kind: 'dml';
}

export type DdlStatement = TableStatement | DatabaseStatement;

/** `tables` of a RENAME are the old names and the new ones in turn. */
export interface TableStatement {
  readonly kind: 'table';
  readonly verb: 'create' | 'alter' | 'drop' | 'rename' | 'truncate' | 'index';
  /** Null where it could not be told which: it may be about any. */
  readonly tables: readonly TableName[] | null;
  readonly temporary: boolean;
  /** Rows come or go with it of which the log has none: partitions that are dropped, emptied or exchanged, tablespaces. */
  readonly movesUnloggedRows: boolean;
}

export interface DatabaseStatement {
  readonly kind: 'database';
  readonly verb: 'create' | 'alter' | 'drop';
  readonly database: string;
}

const OTHER: Statement = { kind: 'other' };
const TRANSACTION: Statement = { kind: 'transaction' };
/** A SELECT is logged where it calls a function that changes rows. */
const DML_WORDS = ['insert', 'update', 'delete', 'replace', 'load', 'call', 'with', 'do', 'select'];
/** Words between CREATE and TABLE, or between DROP and TABLE. */
const CREATE_MODIFIERS = ['or', 'replace', 'online', 'offline', 'ignore', 'unique', 'fulltext', 'spatial', 'vector'];

/**
 * Reads just enough of a statement to know what it is about; no grammar, so that no statement is too strange. What might
 * change a table is never `other`.
 * @param database the default database of the connection that ran it
 */
export function readStatement(text: string, database: string, sqlMode: number): Statement {
  return readTokens(new StatementTokens(text, sqlMode), database);
}

function readTokens(tokens: StatementTokens, database: string): Statement {
  while (tokens.skipSymbol('(') || tokens.skipSymbol(';')) {
    // Nothing: a statement may begin with them.
  }
  const first = tokens.next();
  if (first === null || first.kind !== 'word') return OTHER;
  const verb = first.text.toLowerCase();
  switch (verb) {
    case 'begin':
      return { kind: 'begin' };
    case 'start':
      return tokens.skipWord('transaction') ? { kind: 'begin' } : OTHER;
    case 'commit':
      return { kind: 'commit' };
    case 'rollback':
      return readRollback(tokens);
    case 'savepoint':
    case 'release':
      return TRANSACTION;
    case 'xa':
      return readXa(tokens);
    case 'create':
      return readCreate(tokens, database);
    case 'alter':
      return readAlter(tokens, database);
    case 'drop':
      return readDrop(tokens, database);
    case 'rename':
      return tokens.skipWord('table', 'tables') ? readRename(tokens, database) : OTHER;
    case 'truncate':
      tokens.skipWord('table');
      return table('truncate', readNames(tokens, database));
    case 'set':
      return readSet(tokens, database);
    case 'analyze':
      return readAnalyze(tokens);
    default:
      return DML_WORDS.includes(verb) ? { kind: 'dml' } : OTHER;
  }
}

/** MariaDB: `SET STATEMENT variable = value, … FOR statement` is what the statement is. */
function readSet(tokens: StatementTokens, database: string): Statement {
  if (!tokens.skipWord('statement')) return OTHER;
  for (let token = tokens.next(); token !== null; token = tokens.next()) {
    if (token.kind === 'word' && token.text.toLowerCase() === 'for') return readTokens(tokens, database);
  }
  return OTHER;
}

/** MariaDB: `ANALYZE [FORMAT = JSON] statement` runs the statement. */
function readAnalyze(tokens: StatementTokens): Statement {
  if (tokens.skipWord('format') && tokens.skipSymbol('=')) tokens.next();
  return tokens.skipWord(...DML_WORDS) ? { kind: 'dml' } : OTHER;
}

function readRollback(tokens: StatementTokens): Statement {
  tokens.skipWord('work');
  return tokens.skipWord('to') ? { kind: 'rollback-to' } : { kind: 'rollback' };
}

function readXa(tokens: StatementTokens): Statement {
  const verb = tokens.next()?.text.toLowerCase();
  if (verb === 'start' || verb === 'begin') return { kind: 'xa-start', xid: readXid(tokens) };
  if (verb === 'commit') return { kind: 'xa-commit', xid: readXid(tokens) };
  if (verb === 'rollback') return { kind: 'xa-rollback', xid: readXid(tokens) };
  return TRANSACTION;
}

function readCreate(tokens: StatementTokens, database: string): Statement {
  let temporary = false;
  for (;;) {
    if (tokens.skipWord('temporary')) temporary = true;
    else if (!tokens.skipWord(...CREATE_MODIFIERS)) break;
  }
  if (tokens.skipWord('table')) {
    tokens.skipWord('if') && tokens.skipWord('not') && tokens.skipWord('exists');
    return table('create', one(readName(tokens, database)), temporary);
  }
  if (tokens.skipWord('database', 'schema')) {
    tokens.skipWord('if') && tokens.skipWord('not') && tokens.skipWord('exists');
    return databaseStatement('create', tokens, database);
  }
  if (tokens.skipWord('index')) return readIndex(tokens, database);
  return OTHER;
}

function readAlter(tokens: StatementTokens, database: string): Statement {
  while (tokens.skipWord('online', 'offline', 'ignore')) {
    // Nothing: they change how, not what.
  }
  if (tokens.skipWord('database', 'schema')) return databaseStatement('alter', tokens, database);
  if (!tokens.skipWord('table')) return OTHER;
  tokens.skipWord('if') && tokens.skipWord('exists');
  const altered = readName(tokens, database);
  if (altered === null) return table('alter', null);
  const { others, movesUnloggedRows } = readAlterations(tokens, database);
  return { ...table('alter', others === null ? null : [altered, ...others]), movesUnloggedRows };
}

interface Alterations {
  /** Null where it could not be told which. */
  readonly others: readonly TableName[] | null;
  readonly movesUnloggedRows: boolean;
}

const UNLOGGED: ReadonlySet<string> = new Set([
  'drop partition',
  'truncate partition',
  'exchange partition',
  'convert partition',
  'discard tablespace',
  'import tablespace',
]);

/**
 * `RENAME TO x`, `EXCHANGE PARTITION p WITH TABLE x` and MariaDB's `CONVERT PARTITION p TO TABLE x`, `CONVERT TABLE x TO
 * PARTITION p` name a second table. Column and index renames do not.
 */
function readAlterations(tokens: StatementTokens, database: string): Alterations {
  const others: TableName[] = [];
  let movesUnloggedRows = false;
  let depth = 0;
  let before = '';
  for (let token = tokens.next(); token !== null; token = tokens.next()) {
    if (token.kind === 'symbol') {
      if (token.text === '(') depth += 1;
      else if (token.text === ')') depth -= 1;
      continue;
    }
    if (depth > 0 || token.kind !== 'word') continue;
    const word = token.text.toLowerCase();
    const pair = `${before} ${word}`;
    before = word;
    if (UNLOGGED.has(pair) || (word === 'convert' && isWord(tokens.peek(), 'table'))) movesUnloggedRows = true;
    let name: TableName | null | undefined;
    if (word === 'rename' && !tokens.skipWord('column', 'index', 'key')) {
      tokens.skipWord('to', 'as') || tokens.skipSymbol('=');
      name = readName(tokens, database);
    } else if ((word === 'with' || word === 'to' || word === 'convert') && tokens.skipWord('table')) {
      name = readName(tokens, database);
    }
    if (name === null) return { others: null, movesUnloggedRows };
    if (name !== undefined) others.push(name);
  }
  return { others, movesUnloggedRows };
}

function isWord(token: Token | null, word: string): boolean {
  return token?.kind === 'word' && token.text.toLowerCase() === word;
}

function readDrop(tokens: StatementTokens, database: string): Statement {
  const temporary = tokens.skipWord('temporary');
  tokens.skipWord('online', 'offline');
  if (tokens.skipWord('table', 'tables')) {
    tokens.skipWord('if') && tokens.skipWord('exists');
    return table('drop', readNames(tokens, database), temporary);
  }
  if (tokens.skipWord('database', 'schema')) {
    tokens.skipWord('if') && tokens.skipWord('exists');
    return databaseStatement('drop', tokens, database);
  }
  if (tokens.skipWord('index')) return readIndex(tokens, database);
  return OTHER;
}

/** `INDEX name [USING …] ON table (…)`. */
function readIndex(tokens: StatementTokens, database: string): Statement {
  for (let token = tokens.next(); token !== null; token = tokens.next()) {
    if (token.kind === 'word' && token.text.toLowerCase() === 'on')
      return table('index', one(readName(tokens, database)));
  }
  return table('index', null);
}

function readRename(tokens: StatementTokens, database: string): Statement {
  tokens.skipWord('if') && tokens.skipWord('exists');
  const names: TableName[] = [];
  do {
    const from = readName(tokens, database);
    // MariaDB: WAIT n, NOWAIT
    if (tokens.skipWord('wait')) tokens.next();
    tokens.skipWord('nowait');
    const isRename = tokens.skipWord('to');
    const to = readName(tokens, database);
    if (from === null || to === null || !isRename) return table('rename', null);
    names.push(from, to);
  } while (tokens.skipSymbol(','));
  return table('rename', names);
}

function readNames(tokens: StatementTokens, database: string): readonly TableName[] | null {
  const names: TableName[] = [];
  do {
    const name = readName(tokens, database);
    if (name === null) return null;
    names.push(name);
  } while (tokens.skipSymbol(','));
  return names;
}

/** `table` or `database.table`; null where there is no name. */
function readName(tokens: StatementTokens, database: string): TableName | null {
  const first = tokens.peek();
  if (first === null || (first.kind !== 'word' && first.kind !== 'name')) return null;
  tokens.next();
  if (!tokens.skipSymbol('.')) return { database, table: first.text };
  const second = tokens.next();
  if (second === null || (second.kind !== 'word' && second.kind !== 'name')) return null;
  return { database: first.text, table: second.text };
}

function databaseStatement(verb: DatabaseStatement['verb'], tokens: StatementTokens, database: string): Statement {
  const name = tokens.peek();
  const isName = name !== null && (name.kind === 'word' || name.kind === 'name');
  return { kind: 'database', verb, database: isName ? name.text : database };
}

function one(name: TableName | null): readonly TableName[] | null {
  return name === null ? null : [name];
}

function table(verb: TableStatement['verb'], tables: readonly TableName[] | null, temporary = false): TableStatement {
  return { kind: 'table', verb, tables, temporary, movesUnloggedRows: false };
}
