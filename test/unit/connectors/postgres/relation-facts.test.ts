import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CatalogTable } from '../../../../connectors/postgres/catalog.ts';
import type { RelationMessage, ReplicaIdentity } from '../../../../connectors/postgres/protocol/pgoutput-messages.ts';
import { resolveFacts, resolveKey } from '../../../../connectors/postgres/relation-facts.ts';

/** `*` marks the columns of the replica identity. */
function relation(replicaIdentity: ReplicaIdentity, ...columns: string[]): RelationMessage {
  return {
    oid: 1,
    schema: 'public',
    name: 't',
    replicaIdentity,
    columns: columns.map((column) => ({
      name: column.replace('*', ''),
      isKey: column.endsWith('*'),
      typeOid: 23,
      typmod: -1,
    })),
  };
}

function catalog(table: Partial<CatalogTable>): CatalogTable {
  return { columns: new Map(), primaryKey: null, identityIndex: null, uniqueKeys: [], ...table };
}

const CASES: [string, RelationMessage, Partial<CatalogTable>, string[] | null][] = [
  ['primary key in its own order', relation('d', 'a*', 'b*', 'c'), { primaryKey: ['b', 'a'] }, ['b', 'a']],
  ['full identity with primary key', relation('f', 'a*', 'b*'), { primaryKey: ['b'] }, ['b']],
  ['full identity, unique key', relation('f', 'a*', 'b*'), { uniqueKeys: [['b']] }, ['b']],
  ['no identity, unique key', relation('n', 'a', 'b'), { uniqueKeys: [['b']] }, ['b']],
  ['no primary key, unique key', relation('d', 'a', 'b'), { uniqueKeys: [['a'], ['b']] }, ['a']],
  ['nothing', relation('d', 'a', 'b'), {}, null],
  ['index without the primary key', relation('i', 'id', 'k*'), { primaryKey: ['id'], identityIndex: ['k'] }, ['k']],
  [
    'index with the primary key',
    relation('i', 'id*', 'k*'),
    { primaryKey: ['id'], identityIndex: ['id', 'k'] },
    ['id'],
  ],
  ['index in its own order', relation('i', 'a*', 'b*'), { identityIndex: ['b', 'a'] }, ['b', 'a']],
  ['the log has the older primary key', relation('d', 'a*', 'b'), { primaryKey: ['a', 'b'] }, ['a']],
  ['the log has no primary key yet', relation('d', 'a', 'b'), { primaryKey: ['a'] }, null],
  ['the primary key is on a later column', relation('f', 'a*'), { primaryKey: ['z'] }, null],
  ['a unique key on a later column', relation('d', 'a'), { uniqueKeys: [['z'], ['a']] }, ['a']],
  ['the index was dropped since', relation('i', 'a', 'b*'), {}, ['b']],
];

for (const [name, message, table, expected] of CASES) {
  test(`key: ${name}`, () => assert.deepEqual(resolveKey(message, catalog(table)), expected));
}

test('columns that the catalog does not know are nullable without default; dropped types are text', () => {
  const columns = new Map([['a', { nullable: false, defaultExpression: '5' }]]);
  const facts = resolveFacts(relation('d', 'a', 'gone'), catalog({ columns }), new Map());
  assert.deepEqual(
    facts.columns.map(({ type, nullable, defaultExpression }) => [type.name, nullable, defaultExpression]),
    [
      ['text', false, '5'],
      ['text', true, null],
    ],
  );
});
