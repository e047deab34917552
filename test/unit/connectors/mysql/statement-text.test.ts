import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { QueryEvent } from '../../../../connectors/mysql/protocol/query-event.ts';
import { readStatement } from '../../../../connectors/mysql/statement.ts';
import { statementText } from '../../../../connectors/mysql/statement-text.ts';

const CHARSETS = new Map([
  [8, 'latin1'],
  [13, 'sjis'],
  [45, 'utf8mb4'],
]);

function tablesOf(hex: string, clientCollation: number | null): unknown {
  const text = Buffer.from(hex, 'hex');
  const query = { textStart: 0, textEnd: text.length, clientCollation } as QueryEvent;
  const statement = readStatement(statementText(text, query, CHARSETS), 'db', 0);
  return statement.kind === 'table' ? statement.tables?.map(({ table }) => table) : statement.kind;
}

it('names are in the character set of the connection', () => {
  const utf8 = Buffer.from('truncate `ü`').toString('hex');
  assert.deepEqual(tablesOf(utf8, 45), ['ü']);
  assert.deepEqual(tablesOf(utf8, null), ['ü']);
  assert.deepEqual(tablesOf(utf8, 999), ['ü'], 'of a collation that is not known');
  assert.deepEqual(tablesOf(Buffer.from('truncate `ü`', 'latin1').toString('hex'), 8), ['ü']);
});

it('a character whose second byte is a backslash is no escape', () => {
  // ALTER TABLE t COMMENT '表', RENAME TO u: the comment is 0x95 0x5c in Shift-JIS.
  const text = Buffer.concat([
    Buffer.from("ALTER TABLE t COMMENT '"),
    Buffer.of(0x95, 0x5c),
    Buffer.from("', RENAME TO u"),
  ]);
  assert.deepEqual(tablesOf(text.toString('hex'), 13), ['t', 'u']);
});
