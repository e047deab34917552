import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PublicationFacts, PublicationMember } from '../../../../connectors/postgres/publication.ts';
import { findProblems, planPublications } from '../../../../connectors/postgres/publication-plan.ts';
import type { PublishableTable } from '../../../../connectors/postgres/publishable-tables.ts';

const PAIR = { updates: 'main', inserts: 'inserts' };
const WHOLE: PublicationMember = { membership: 900, rowFilter: null, columns: null, bySchema: false };
const FILTERED = { ...WHOLE, rowFilter: '(id > 5)' };
const BY_SCHEMA = { ...WHOLE, bySchema: true };

type Members = Record<number, PublicationMember>;
const publication = (name: string, members: Members, more: Partial<PublicationFacts> = {}): PublicationFacts => ({
  name,
  oid: 500,
  allTables: false,
  operations: name === 'main' ? 'iudt' : 'it',
  viaRoot: false,
  owned: true,
  members: new Map(Object.entries(members).map(([oid, member]) => [Number(oid), member])),
  ...more,
});
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
const keyless = (oid: number, more: Partial<PublishableTable> = {}) => table(oid, { hasIdentity: false, ...more });

/** The plan in words: `lost 1: main > inserts`. */
function plan(main: Members, inserts: Members, tables: PublishableTable[], more: Partial<PublicationFacts> = {}) {
  const publications = [publication('main', main, more), publication('inserts', inserts)];
  const captured = tables.filter(({ name }) => name !== 'other');
  const { changes, problems } = planPublications(publications, tables, captured, PAIR);
  return [
    ...changes.map(
      ({ kind, table: { oid }, from, to, isThere, like }) =>
        `${kind} ${oid}: ${from ?? ''} > ${to}${isThere ? ' (there)' : ''}${like === null ? '' : ` like ${like}`}`,
    ),
    ...problems.map(({ kind, table: { oid } }) => `${kind}! ${oid}`),
  ];
}

const CASES: [what: string, planned: string[], expected: string[]][] = [
  ['all is well', plan({ 1: WHOLE }, { 2: WHOLE }, [table(1), keyless(2)]), []],
  ['new tables', plan({}, {}, [table(1), keyless(2)]), ['added 1:  > main', 'added 2:  > inserts']],
  ["a new table of somebody else's", plan({}, {}, [table(1, { owned: false })]), ['uncovered! 1']],
  ['a table that is not captured', plan({}, {}, [table(1, { name: 'other' })]), []],
  ['a lost identity', plan({ 1: WHOLE }, {}, [keyless(1)]), ['lost 1: main > inserts']],
  ['the same of a table in both', plan({ 1: WHOLE }, { 1: WHOLE }, [keyless(1)]), ['lost 1: main > inserts (there)']],
  ['the same of a former source', plan({ 1: WHOLE }, {}, [keyless(1, { name: 'other' })]), ['lost 1: main > inserts']],
  ["the same of somebody else's table", plan({ 1: WHOLE }, {}, [keyless(1, { owned: false })]), ['refused! 1']],
  ["the same in somebody else's publication", plan({ 1: WHOLE }, {}, [keyless(1)], { owned: false }), ['refused! 1']],
  ['the same with a row filter', plan({ 1: FILTERED }, {}, [keyless(1)]), ['lost 1: main > inserts like 900']],
  ['filters that differ', plan({ 1: WHOLE }, { 1: FILTERED }, [keyless(1)]), ['refused! 1']],
  ['a schema in the publication', plan({ 1: BY_SCHEMA }, {}, [keyless(1)]), ['refused! 1']],
  ['all tables in the publication', plan({}, {}, [keyless(1)], { allTables: true }), ['refused! 1']],
  ['a new identity', plan({}, { 1: WHOLE }, [table(1)]), ['gained 1: inserts > main']],
  ['the same of a table in both', plan({ 1: WHOLE }, { 1: WHOLE }, [table(1)]), ['gained 1: inserts > main (there)']],
  ['the same in part', plan({ 1: FILTERED }, { 1: WHOLE }, [table(1)]), []],
  ['the same with a row filter', plan({}, { 1: FILTERED }, [table(1)]), ['kept! 1']],
  ["the same of somebody else's table", plan({}, { 1: WHOLE }, [table(1, { owned: false })]), ['kept! 1']],
  ['a schema in the publication of inserts', plan({}, { 1: BY_SCHEMA }, [table(1)]), ['added 1:  > main']],
  [
    'a root that is moved, first the leaf that it alone published',
    plan({ 1: WHOLE, 2: WHOLE }, {}, [
      keyless(1, { isPartitioned: true }),
      keyless(2, { ancestors: [1] }),
      table(3, { ancestors: [1] }),
    ]),
    ['detached 3:  > main', 'lost 1: main > inserts', 'lost 2: main > inserts'],
  ],
  [
    'a root and its leaves with a new identity',
    plan({}, { 1: WHOLE, 2: WHOLE }, [
      table(1, { isPartitioned: true }),
      table(2, { ancestors: [1] }),
      table(3, { ancestors: [1] }),
    ]),
    ['gained 1: inserts > main', 'gained 2: inserts > main'],
  ],
  [
    'a leaf whose root is published in spite of it',
    plan({ 1: WHOLE }, {}, [keyless(1, { isPartitioned: true, owned: false }), keyless(2, { ancestors: [1] })]),
    ['refused! 2'],
  ],
];

for (const [what, planned, expected] of CASES) {
  test(what, () => assert.deepEqual(planned, expected));
}

test('without the publications there is nothing to do: that they are missing is said elsewhere', () => {
  assert.deepEqual(planPublications([publication('main', {})], [table(1)], [table(1)], PAIR), {
    changes: [],
    problems: [],
  });
});

test("in somebody else's publication, problems are only named", () => {
  const main = publication('main', { 1: WHOLE, 3: WHOLE });
  const tables = [keyless(1), table(2), table(3), keyless(4)];
  const problems = findProblems([main], tables, [table(2)]);
  assert.deepEqual(
    problems.map(({ kind, table: { oid } }) => [kind, oid]),
    [
      ['uncovered', 2],
      ['refused', 1],
    ],
  );
  assert.deepEqual(findProblems([{ ...main, operations: 'i' }], [keyless(1)], []), [], 'inserts are never refused');
  assert.equal(findProblems([{ ...main, operations: 'd' }], [keyless(1)], []).length, 1, 'deletes alone are');
});
