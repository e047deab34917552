import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PostgresConfig } from '../../../../connectors/postgres/config.ts';
import { matchesStandbyNames, runChecks } from '../../../../connectors/postgres/preflight-checks.ts';
import type { PreflightFacts } from '../../../../connectors/postgres/preflight-facts.ts';

const CONFIG = {
  slot: { name: 's', publication: 'p', autocreate: 'filtered', failover: false },
  connection: { database: 'shop', user: 'cdc' },
} as unknown as PostgresConfig;

const FINE: PreflightFacts = {
  server: {
    systemIdentifier: '1',
    timeline: 1,
    version: 17,
    isStandby: false,
    walSenderTimeoutMs: 60_000,
    encoding: 'UTF8',
  },
  settings: {
    walLevel: 'logical',
    maxReplicationSlots: 10,
    usedReplicationSlots: 2,
    maxWalSenders: 10,
    usedWalSenders: 2,
    maxSlotWalKeepMb: 1000,
    synchronousStandbyNames: '',
    walSenderTimeoutMs: 60_000,
    idleSlotTimeoutMs: 0,
  },
  role: { name: 'cdc', isSuperuser: false, canReplicate: true, canCreateInDatabase: true },
  slot: null,
  publications: [],
  tables: [
    { oid: 1, schema: 'public', name: 't', hasIdentity: true, ancestors: [], isPartitioned: false, owned: true },
  ],
  unreadable: [],
  notOwned: [],
  withToast: [],
  signalTable: null,
};

const SLOT = {
  plugin: 'pgoutput',
  database: 'shop',
  isLogical: true,
  activePid: null,
  confirmedFlush: null,
  restartLsn: null,
  walStatus: 'reserved',
  safeWalBytes: null,
  invalidation: null,
  retainedBytes: 0,
};
const KEYLESS = [
  { oid: 1, schema: 'public', name: 't', hasIdentity: false, ancestors: [], isPartitioned: false, owned: true },
];
const publication = (operations: string) => ({
  name: 'p',
  oid: 5,
  allTables: true,
  operations,
  viaRoot: false,
  owned: true,
  members: new Map(),
});

const member = (name: string, operations: string, table: number) => ({
  ...publication(operations),
  name,
  allTables: false,
  members: new Map([[table, { membership: 9, rowFilter: null, columns: null, bySchema: false }]]),
});

/** Checks that are not fine, with their severity. */
function complaints(facts: Partial<PreflightFacts>, slot: object = {}): Record<string, string> {
  const config = { ...CONFIG, slot: { ...CONFIG.slot, ...slot } } as PostgresConfig;
  const found = runChecks({ ...FINE, ...facts }, config).filter((finding) => finding.severity !== 'ok');
  for (const finding of found) assert.ok(finding.problem !== '' && finding.remedy !== '', finding.check);
  return Object.fromEntries(found.map((finding) => [finding.check, finding.severity]));
}

const settings = (change: Partial<PreflightFacts['settings']>) => ({ settings: { ...FINE.settings, ...change } });
const server = (change: Partial<PreflightFacts['server']>) => ({ server: { ...FINE.server, ...change } });
const role = (change: Partial<PreflightFacts['role']>) => ({ role: { ...FINE.role, ...change } });

const CASES: [string, Partial<PreflightFacts>, object, Record<string, string>][] = [
  ['a server that is set up', {}, {}, {}],
  ['version 13', server({ version: 13 }), {}, { server_version: 'error' }],
  ['version 19', server({ version: 19 }), {}, { server_version: 'warning' }],
  ['SQL_ASCII', server({ encoding: 'SQL_ASCII' }), {}, { encoding: 'warning' }],
  ['LATIN1, which the server converts', server({ encoding: 'LATIN1' }), {}, {}],
  ['wal_level replica', settings({ walLevel: 'replica' }), {}, { wal_level: 'error' }],
  ['no replication right', role({ canReplicate: false }), {}, { replication_privilege: 'error' }],
  ['no free slot', settings({ usedReplicationSlots: 10 }), {}, { replication_slots: 'error' }],
  ['no free slot, but ours exists', { ...settings({ usedReplicationSlots: 10 }), slot: SLOT }, {}, {}],
  ['no free sender', settings({ usedWalSenders: 10 }), {}, { wal_senders: 'error' }],
  ['unlimited retention', settings({ maxSlotWalKeepMb: -1 }), {}, { wal_retention: 'warning' }],
  ['slot given up', { slot: { ...SLOT, walStatus: 'lost' } }, {}, { slot: 'error' }],
  ['slot in danger', { slot: { ...SLOT, walStatus: 'unreserved' } }, {}, { slot: 'warning' }],
  ['foreign slot', { slot: { ...SLOT, plugin: 'wal2json' } }, {}, { slot: 'error' }],
  ['failover on 16', server({ version: 16 }), { failover: true }, { slot_failover: 'warning' }],
  ['idle slots are given up', settings({ idleSlotTimeoutMs: 60_000 }), {}, { idle_slot_timeout: 'warning' }],
  ['short sender timeout', settings({ walSenderTimeoutMs: 5000 }), {}, { wal_sender_timeout: 'warning' }],
  ['we count as standby', settings({ synchronousStandbyNames: '*' }), {}, { synchronous_standby: 'warning' }],
  ['publication missing', {}, { autocreate: 'disabled' }, { publication: 'error' }],
  ['may not create it', role({ canCreateInDatabase: false }), {}, { publication: 'error' }],
  ['does not own the table', { notOwned: ['public.t'] }, {}, { publication: 'error' }],
  ['all tables without superuser', {}, { autocreate: 'all_tables' }, { publication: 'error' }],
  ['keyless table', { tables: KEYLESS }, {}, { replica_identity: 'warning' }],
  [
    'keyless table whose updates are published',
    { tables: KEYLESS, publications: [publication('iudt')] },
    { autocreate: 'disabled' },
    { replica_identity: 'error' },
  ],
  [
    'keyless table that the source moves by itself',
    { tables: KEYLESS, publications: [member('p', 'iudt', 1), member('p_insert_only', 'it', 2)] },
    {},
    { replica_identity: 'warning' },
  ],
  [
    "keyless table that it cannot move, being somebody else's",
    {
      tables: [{ ...KEYLESS[0]!, owned: false }],
      publications: [member('p', 'iudt', 1), member('p_insert_only', 'it', 2)],
    },
    {},
    { replica_identity: 'error' },
  ],
  ['unreadable table', { unreadable: ['public.t'] }, {}, { table_privileges: 'warning' }],
  ['large values', { withToast: ['public.t'] }, {}, { toast: 'warning' }],
];

for (const [name, facts, slot, expected] of CASES) {
  test(name, () => assert.deepEqual(complaints(facts, slot), expected));
}

test('synchronous_standby_names in all its forms', () => {
  const us = 'tailrace stream s';
  for (const yes of ['*', 'a, *', `"${us}"`, `FIRST 1 (a, "${us}")`, 'ANY 2 (*)', '1 (*)', '"Tailrace Stream S"']) {
    assert.ok(matchesStandbyNames(yes, us), yes);
  }
  for (const no of ['', 'a', 'a, b', 'FIRST 1 (a, b)', '"*x"']) assert.ok(!matchesStandbyNames(no, us), no);
});

test('the table for signals is looked at where there is one', () => {
  const text = (name: string) => ({ name, type: 'text', isText: true });
  const found = { oid: 7, isOther: null, isReadable: true, columns: ['id', 'type', 'data'].map(text) };
  const named = (name: string) => ({ ...FINE.tables[0]!, name, oid: name === 's' ? 7 : 1 });
  const signals = (more: object | null, facts: Partial<PreflightFacts> = {}, slot: object = {}) => {
    const signalTable = { name: 'public.s', found: more === null ? null : { ...found, ...more } };
    return complaints({ tables: [named('t'), named('s')], signalTable, ...facts }, slot);
  };
  assert.deepEqual(signals({}), {}, 'the source publishes it');
  assert.deepEqual(signals(null), { signal_table: 'error' });
  assert.deepEqual(signals({ isOther: 'a view', columns: [] }), { signal_table: 'error' });
  assert.deepEqual(signals({ columns: [text('id')] }), { signal_table_columns: 'error' });
  const numbered = [{ ...text('id'), isText: false }, text('type'), text('data')];
  assert.deepEqual(signals({ columns: numbered }), { signal_table_columns: 'error' });
  assert.deepEqual(signals({ isReadable: false }), { signal_table_privileges: 'warning' });

  const disabled = { autocreate: 'disabled' };
  const both = (operations: string, more: object = {}) => {
    const membership = { membership: 9, rowFilter: null, columns: null, bySchema: false };
    const members = new Map([
      [1, membership],
      [7, { ...membership, ...more }],
    ]);
    return { publications: [{ ...publication(operations), allTables: false, members }] };
  };
  assert.deepEqual(signals({}, both('iudt'), disabled), {});
  assert.deepEqual(signals({}, { publications: [publication('iudt')] }, disabled), {}, 'all tables');
  assert.deepEqual(signals({}, { publications: [member('p', 'iudt', 1)] }, disabled), {
    publication: 'warning',
    signal_table_published: 'error',
  });
  assert.deepEqual(signals({}, both('ud'), disabled), { signal_table_published: 'error' });
  assert.deepEqual(signals({}, both('iudt', { columns: [1, 2] }), disabled), { signal_table_published: 'error' });
  assert.deepEqual(signals({}, both('iudt', { rowFilter: '(id > 5)' }), disabled), { signal_table_published: 'error' });
});
