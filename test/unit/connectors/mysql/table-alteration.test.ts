import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type CatalogColumn, type CatalogTable, catalogTable } from '../../../../connectors/mysql/catalog-column.ts';
import { declarationContextOf } from '../../../../connectors/mysql/declared-type.ts';
import { concerns } from '../../../../connectors/mysql/log-ahead.ts';
import { type DdlStatement, readStatement } from '../../../../connectors/mysql/statement.ts';
import { alterTable } from '../../../../connectors/mysql/table-alteration.ts';
import { readCreateTable } from '../../../../connectors/mysql/table-creation.ts';

const OLD = declarationContextOf('mysql', '5.6.24-log');
const int = (name: string, nullable = true): CatalogColumn => ({
  name,
  columnType: 'int(11)',
  nullable,
  default: null,
  charset: null,
  extra: '',
  comment: '',
});
const TABLE = catalogTable(
  [int('id', false), int('a'), int('b')],
  [{ name: 'PRIMARY', parts: [{ column: 'id', isWhole: true }] }],
  'latin1',
);

const names = (table: CatalogTable | null) => table?.columns.map(({ name }) => name).join(' ') ?? null;

describe('what ALTER TABLE makes of a table', () => {
  const cases: readonly [clauses: string, columns: string | null][] = [
    ['ADD c int', 'id a b c'],
    ['ADD c int AFTER ID, ADD d int FIRST', 'd id c a b'],
    ['ADD (c int, d varchar(5))', 'id a b c d'],
    ['DROP a', 'id b'],
    ['DROP COLUMN a, ADD a bigint', 'id b a'],
    ['MODIFY a bigint AFTER b', 'id b a'],
    ['CHANGE A c int', 'id c b'],
    ['RENAME COLUMN a TO c', 'id c b'],
    ['ENGINE=InnoDB, COMMENT "DROP COLUMN a, DROP COLUMN b"', 'id a b'],
    // Doubts.
    ['DROP c', null],
    ['ADD a int', null],
    ['CHANGE a b int, CHANGE b a int', null],
    ['MODIFY id int, DROP PRIMARY KEY', null],
    ['DROP COLUMN id, ADD id int', null],
    ['CONVERT TO CHARACTER SET utf8', null],
    ["COMMENT = 'a\\', DROP COLUMN b, COMMENT = 'c'", null],
    ['/*!50600 DROP a, */ DROP b', null],
    ['ADD c real', null],
    ['ADD c int GENERATED ALWAYS AS (a + 1)', null],
    ['ADD c int unheard_of', null],
    ['', null],
  ];
  for (const [clauses, columns] of cases) {
    it(`${clauses} → ${columns ?? 'ask the catalog'}`, () =>
      assert.equal(names(alterTable(TABLE, `ALTER TABLE t ${clauses}`, 0, OLD)), columns));
  }

  it('the key follows', () => {
    const altered = alterTable(TABLE, 'ALTER TABLE t DROP PRIMARY KEY, MODIFY a int NOT NULL, ADD UNIQUE (a)', 0, OLD);
    assert.deepEqual(altered?.key, ['a']);
    const renamed = alterTable(TABLE, 'ALTER TABLE t CHANGE id number int NOT NULL', 0, OLD);
    assert.deepEqual(renamed?.key, ['number']);
  });

  it('never throws, whatever the text', () => {
    const word = fc.constantFrom(
      ...['ADD', 'DROP', 'MODIFY', 'CHANGE', 'COLUMN', 'a', 'b', 'id', 'int', '(', ')', ',', "'x", '`', 'DEFAULT', '5'],
      ...[
        'PRIMARY',
        'KEY',
        'UNIQUE',
        'NOT',
        'NULL',
        'FIRST',
        'AFTER',
        'enum',
        "('a')",
        'CHARACTER',
        'SET',
        '=',
        '.',
        '-',
      ],
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 15 }), (words) => {
        alterTable(TABLE, `ALTER TABLE t ${words.join(' ')}`, 0, OLD);
        readCreateTable(`CREATE TABLE t ${words.join(' ')}`, 'db', 0, { ...OLD, defaultCharset: null });
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('CREATE TABLE', () => {
  it('needs the character set of the database where nothing else says one', () => {
    const read = (text: string, defaultCharset: string | null) =>
      readCreateTable(text, 'db', 0, { ...OLD, defaultCharset });
    assert.equal(read('CREATE TABLE t (id int, v varchar(5))', null), null);
    assert.equal(read('CREATE TABLE t (id int, v varchar(5))', 'greek')?.kind, 'table');
    assert.equal(read('CREATE TABLE t (id int, v varchar(5)) CHARSET=greek', null)?.kind, 'table');
    assert.deepEqual(read('CREATE TABLE IF NOT EXISTS t LIKE x.`y``z`', null), {
      kind: 'like',
      name: { database: 'x', table: 'y`z' },
      isConditional: true,
    });
    assert.equal(read('CREATE TABLE t (id int) SELECT 1 AS x', 'greek'), null);
  });

  it('what counts by itself is never NULL, without NOT NULL too', () => {
    const read = (columns: string) =>
      readCreateTable(`CREATE TABLE t (${columns})`, 'db', 0, { ...OLD, defaultCharset: null });
    const made = read('id int AUTO_INCREMENT, v int, PRIMARY KEY (id)');
    assert.ok(made?.kind === 'table');
    assert.deepEqual(made.table.columns, [{ ...int('id', false), extra: 'auto_increment' }, int('v')]);
    assert.deepEqual(made.table.key, ['id']);
    // Its place decides who wins.
    assert.equal(read('id int AUTO_INCREMENT NULL, UNIQUE (id)'), null);
    assert.equal(read('id int NULL AUTO_INCREMENT, UNIQUE (id)'), null);
  });
});

describe('which statements make a catalog doubtful', () => {
  const name = { database: 'db', table: 't' };
  const exact = (text: string) => text;
  const cases: readonly [text: string, expected: boolean][] = [
    ['ALTER TABLE t ADD x int', true],
    ['ALTER TABLE db.T ADD x int', false],
    ['RENAME TABLE x TO t', true],
    ['DROP DATABASE db', true],
    ['ALTER DATABASE db CHARACTER SET latin1', false],
    ['CREATE TABLE u LIKE t', false],
    ['CREATE TEMPORARY TABLE t (id int)', false],
    ['TRUNCATE t', false],
    ['CREATE UNIQUE INDEX i ON t (a)', true],
    ['ALTER TABLE', true],
  ];
  for (const [text, expected] of cases) {
    it(`${text}: ${expected}`, () =>
      assert.equal(concerns(readStatement(text, 'db', 0) as DdlStatement, name, exact), expected));
  }
  it('names have no case where the server says so', () =>
    assert.ok(concerns(readStatement('DROP TABLE Db.T', '', 0) as DdlStatement, name, (text) => text.toLowerCase())));
});
