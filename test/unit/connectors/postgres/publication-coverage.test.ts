import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PublicationFacts } from '../../../../connectors/postgres/publication.ts';
import {
  findLostCoverage,
  recordCoverage,
  uncoveredTables,
} from '../../../../connectors/postgres/publication-coverage.ts';
import type { PublishableTable } from '../../../../connectors/postgres/publishable-tables.ts';

const member = { membership: 900, rowFilter: null, columns: null, bySchema: false };
const MAIN: PublicationFacts = {
  name: 'main',
  oid: 500,
  allTables: false,
  operations: 'iudt',
  viaRoot: false,
  owned: true,
  members: new Map([
    [1, member],
    [2, { ...member, membership: 901 }],
  ]),
};
const INSERT_ONLY: PublicationFacts = { ...MAIN, name: 'insert_only', oid: 501, operations: 'it', members: new Map() };
const table = (oid: number, more: Partial<PublishableTable> = {}): PublishableTable => ({
  oid,
  schema: 'public',
  name: `t${oid}`,
  hasIdentity: true,
  ancestors: [],
  isPartitioned: false,
  owned: true,
  ...more,
});
const TABLES = [table(1), table(2)];
const RECORD = recordCoverage([MAIN, INSERT_ONLY], TABLES);
const lost = (change: Partial<PublicationFacts>, tables = TABLES) =>
  findLostCoverage(RECORD, [{ ...MAIN, ...change }, INSERT_ONLY], tables);
const withMember = (change: object) => new Map([...MAIN.members, [1, { ...member, ...change }]]);

test('nothing is lost while nothing changes, or while something is added', () => {
  assert.equal(lost({}), null);
  assert.equal(lost({ members: new Map([...MAIN.members, [3, member]]) }, [...TABLES, table(3)]), null);
  assert.equal(lost({ members: new Map([[1, member]]) }, [table(1)]), null, 'a dropped table');
});

test('what may have left changes out is found', () => {
  assert.match(findLostCoverage(RECORD, [INSERT_ONLY], TABLES) ?? '', /was dropped$/);
  assert.match(lost({ oid: 502 }) ?? '', /dropped and created again/);
  assert.match(lost({ operations: 'it' }) ?? '', /fewer operations \(lacks u, d\)/);
  assert.match(lost({ viaRoot: true }) ?? '', /publish_via_partition_root/);
  assert.match(lost({ members: new Map([[1, member]]) }) ?? '', /public\.t2 .* was removed$/);
  assert.match(lost({ members: withMember({ membership: 999 }) }) ?? '', /removed and added again/);
  assert.match(lost({ members: withMember({ rowFilter: '(id > 5)' }) }) ?? '', /row filter/);
  assert.match(lost({ members: withMember({ columns: [1] }) }) ?? '', /column list/);
});

test('a move that was about to be made is ours, made or not; any other is not', () => {
  const record = recordCoverage([MAIN, INSERT_ONLY], TABLES, [{ table: 1, from: 'main', to: 'insert_only' }]);
  const without = (oid: number) => ({ ...MAIN, members: new Map([...MAIN.members].filter(([key]) => key !== oid)) });
  const inserts = (oid: number) => ({ ...INSERT_ONLY, members: new Map([[oid, member]]) });
  assert.equal(findLostCoverage(record, [MAIN, INSERT_ONLY], TABLES), null, 'not made');
  assert.equal(findLostCoverage(record, [without(1), inserts(1)], TABLES), null, 'made');
  assert.match(findLostCoverage(record, [without(1), INSERT_ONLY], TABLES) ?? '', /public\.t1 .* was removed$/);
  assert.match(findLostCoverage(record, [without(2), inserts(2)], TABLES) ?? '', /public\.t2 .* was removed$/);
  assert.match(findLostCoverage(RECORD, [without(1), inserts(1)], TABLES) ?? '', /public\.t1 .* was removed$/);
  const again = { ...MAIN, members: withMember({ membership: 999 }) };
  assert.match(findLostCoverage(record, [again, inserts(1)], TABLES) ?? '', /removed and added again/);
});

test('without moves the record is what it was before there were any', () => {
  assert.deepEqual(Object.keys(RECORD), ['publications']);
  assert.deepEqual(RECORD.publications[1]?.members[0], { table: 1, membership: 900, rowFilter: null, columns: null });
});

test('the record survives JSON', () => {
  assert.deepEqual(JSON.parse(JSON.stringify(RECORD)), RECORD);
});

test('a table counts as covered by its own membership or a root above it', () => {
  const tables = [table(1), table(7), table(8, { ancestors: [2] })];
  assert.deepEqual(uncoveredTables([MAIN, INSERT_ONLY], tables, true), [table(7)]);
});

test('a partition with identity is not covered by a root that publishes inserts only', () => {
  const insertOnly = { ...INSERT_ONLY, members: new Map([[5, member]]) };
  const partition = table(6, { ancestors: [5] });
  assert.deepEqual(uncoveredTables([MAIN, insertOnly], [partition], true), [partition]);
  assert.deepEqual(uncoveredTables([MAIN, insertOnly], [{ ...partition, hasIdentity: false }], true), []);
  assert.deepEqual(uncoveredTables([MAIN, insertOnly], [partition], false), [], 'the owner decides');
});
