import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runChecks } from '../../../../connectors/postgres/preflight-checks.ts';
import type { PreflightFacts } from '../../../../connectors/postgres/preflight-facts.ts';
import { requireTailable } from '../../../../connectors/postgres/tail-checks.ts';
import { tailConfig } from '../../../../connectors/postgres/tail-config.ts';
import { ConfigurationError } from '../../../../src/core/errors.ts';
import { Secret } from '../../../../src/core/secret.ts';

const config = tailConfig(
  { url: new Secret('postgres://dev:pw@db/shop'), tables: [/^public\.t$/] },
  'tailrace_tail_1_x',
);
const table = {
  oid: 1,
  schema: 'public',
  name: 't',
  hasIdentity: true,
  ancestors: [],
  isPartitioned: false,
  owned: true,
};

const facts: PreflightFacts = {
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
    usedReplicationSlots: 0,
    maxWalSenders: 10,
    usedWalSenders: 0,
    maxSlotWalKeepMb: 1024,
    synchronousStandbyNames: '',
    walSenderTimeoutMs: 60_000,
    idleSlotTimeoutMs: null,
  },
  role: { name: 'dev', isSuperuser: false, canReplicate: true, canCreateInDatabase: true },
  slot: null,
  publications: [],
  tables: [table],
  unreadable: [],
  notOwned: [],
  withToast: [],
  signalTable: null,
};

test('a role with the rights may tail', () => {
  assert.doesNotThrow(() => requireTailable(facts, config));
});

const obstacles: readonly (readonly [what: string, facts: Partial<PreflightFacts>, remedy: RegExp])[] = [
  ['wal_level replica', { settings: { ...facts.settings, walLevel: 'replica' } }, /wal_level = logical and restart/],
  ['an old server', { server: { ...facts.server, version: 13 } }, /Upgrade it to 14/],
  ['no REPLICATION', { role: { ...facts.role, canReplicate: false } }, /ALTER ROLE dev REPLICATION/],
  ['no CREATE', { role: { ...facts.role, canCreateInDatabase: false } }, /GRANT CREATE ON DATABASE "shop" TO "dev"/],
  ['all slots in use', { settings: { ...facts.settings, usedReplicationSlots: 10 } }, /max_replication_slots/],
  ['all walsenders in use', { settings: { ...facts.settings, usedWalSenders: 10 } }, /max_wal_senders/],
  ["somebody else's table", { notOwned: ['public.t'] }, /--table/],
  ['no such table', { tables: [] }, /--table/],
];

for (const [what, change, remedy] of obstacles) {
  test(`${what} is said with its remedy`, () => {
    assert.throws(
      () => requireTailable({ ...facts, ...change }, config),
      (error) => error instanceof ConfigurationError && remedy.test(error.remedy),
    );
  });
}

test('check finds wal_level replica, and nothing else wrong', () => {
  const findings = runChecks({ ...facts, settings: { ...facts.settings, walLevel: 'replica' } }, config);
  const errors = findings.filter(({ severity }) => severity === 'error');
  assert.deepEqual(
    errors.map(({ check }) => check),
    ['wal_level'],
  );
  assert.match(errors[0]!.problem, /wal_level is replica/);
});

test('a URL that cannot be used is not repeated', () => {
  assert.throws(
    () => tailConfig({ url: new Secret('postgres://dev:hunter2@db/shop?nonsense=1'), tables: [] }, 'x'),
    (error) => error instanceof ConfigurationError && /nonsense/.test(error.message) && !/hunter2/.test(error.message),
  );
});
