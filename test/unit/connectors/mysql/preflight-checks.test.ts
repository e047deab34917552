import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { MySqlConfig } from '../../../../connectors/mysql/config.ts';
import { runChecks } from '../../../../connectors/mysql/preflight-checks.ts';
import type { PreflightFacts } from '../../../../connectors/mysql/preflight-facts.ts';

const GOOD: Readonly<Record<string, string>> = {
  log_bin: 'ON',
  gtid_mode: 'ON',
  binlog_format: 'ROW',
  binlog_row_image: 'FULL',
  binlog_row_metadata: 'FULL',
  binlog_row_value_options: '',
  binlog_expire_logs_seconds: '2592000',
  log_replica_updates: 'ON',
  server_id: '1',
};

function problems(variables: Readonly<Record<string, string>>, more: Partial<PreflightFacts> = {}): string[] {
  const facts: PreflightFacts = {
    server: {
      dialect: 'mysql',
      version: '9.7.4',
      identity: 'x',
      hasGtids: true,
      variables: new Map(Object.entries({ ...GOOD, ...variables })),
    },
    grants: ['GRANT SELECT, REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO `cdc`@`%`'],
    replicaIds: [],
    hasTemporaryFiles: true,
    signalTable: null,
    tables: [{ name: 'a.t', database: 'a', table: 't', engine: 'InnoDB', hasKey: true }],
    ...more,
  };
  const findings = runChecks(facts, { dialect: 'mysql', serverId: 5701 } as MySqlConfig).filter(
    ({ severity }) => severity !== 'ok',
  );
  for (const { problem, remedy } of findings) assert.ok(problem !== '' && remedy !== '');
  return findings.map(({ check, severity }) => `${check}: ${severity}`);
}

it('a server that is set up well has no findings', () => assert.deepEqual(problems({}), []));

it('every setting that loses or spoils changes is found', () => {
  assert.deepEqual(problems({ log_bin: 'OFF' }), ['log_bin: error']);
  assert.deepEqual(problems({ binlog_format: 'MIXED' }), ['binlog_format: error']);
  assert.deepEqual(problems({ binlog_row_image: 'MINIMAL' }), ['binlog_row_image: warning']);
  assert.deepEqual(problems({ binlog_row_metadata: 'MINIMAL' }), ['binlog_row_metadata: warning']);
  assert.deepEqual(problems({ binlog_row_value_options: 'PARTIAL_JSON' }), ['binlog_row_value_options: error']);
  assert.deepEqual(problems({ binlog_expire_logs_seconds: '3600' }), ['retention: warning']);
  assert.deepEqual(problems({ log_replica_updates: 'OFF' }), ['replica_updates: warning']);
  assert.deepEqual(problems({ server_id: '5701' }), ['server_id: error']);
});

it('grants, replicas and tables are looked at', () => {
  assert.deepEqual(
    problems({}, { grants: ['GRANT USAGE ON *.* TO `cdc`@`%`', 'GRANT SELECT ON `a`.* TO `cdc`@`%`'] }),
    ['grants: error'],
  );
  assert.deepEqual(problems({}, { grants: ['GRANT ALL PRIVILEGES ON *.* TO `cdc`@`%`'] }), []);
  assert.deepEqual(problems({}, { replicaIds: [5701] }), ['server_id: warning']);
  assert.deepEqual(problems({}, { tables: [] }), ['tables: warning']);
  assert.deepEqual(
    problems({}, { tables: [{ name: 'a.k', database: 'a', table: 'k', engine: 'MyISAM', hasKey: false }] }),
    ['keys: warning', 'snapshot_locks: warning', 'engines: warning'],
  );
});

it('a snapshot locks tables where nothing else tells what is visible, and needs a grant for it', () => {
  const remedies = (gtidMode: string, grant: string): string[] => {
    const server = { dialect: 'mysql', version: '5.7', identity: 'x', hasGtids: gtidMode !== 'OFF' } as const;
    const facts: PreflightFacts = {
      server: { ...server, variables: new Map(Object.entries({ ...GOOD, gtid_mode: gtidMode })) },
      grants: [`GRANT ${grant} ON \`a\`.* TO \`cdc\`@\`%\``],
      replicaIds: [],
      hasTemporaryFiles: true,
      signalTable: null,
      tables: [{ name: 'a.t', database: 'a', table: 't', engine: 'InnoDB', hasKey: true }],
    };
    return runChecks(facts, { dialect: 'mysql', serverId: 5701 } as MySqlConfig)
      .filter(({ check, severity }) => check === 'snapshot_locks' && severity !== 'ok')
      .map(({ remedy }) => remedy);
  };
  assert.deepEqual(remedies('ON', 'SELECT'), []);
  assert.match(remedies('OFF', 'SELECT')[0]!, /GRANT LOCK TABLES ON a\.\* TO the account/);
  assert.match(remedies('ON_PERMISSIVE', 'SELECT')[0]!, /GRANT LOCK TABLES/);
  assert.doesNotMatch(remedies('OFF', 'SELECT, LOCK TABLES')[0]!, /GRANT/);
});

it('so it does on a MariaDB that tells of commits before they are visible', () => {
  const findings = (value: string) => {
    const variables = new Map(Object.entries({ ...GOOD, binlog_optimize_thread_scheduling: value }));
    const facts: PreflightFacts = {
      server: { dialect: 'mariadb', version: '11.8.6-MariaDB', identity: 'x', hasGtids: true, variables },
      grants: ['GRANT ALL PRIVILEGES ON *.* TO `cdc`@`%`'],
      replicaIds: [],
      hasTemporaryFiles: true,
      signalTable: null,
      tables: [{ name: 'a.t', database: 'a', table: 't', engine: 'InnoDB', hasKey: true }],
    };
    return runChecks(facts, { dialect: 'mariadb', serverId: 5701 } as MySqlConfig).filter(
      ({ check, severity }) => check === 'snapshot_locks' && severity !== 'ok',
    );
  };
  assert.deepEqual(findings('ON'), []);
  assert.match(findings('OFF')[0]!.problem, /a snapshot locks tables/);
  assert.match(findings('OFF')[0]!.remedy, /turn on binlog_optimize_thread_scheduling/);
});

it('a large transaction needs a place to wait in, all the more where transactions are compressed', () => {
  const more = { hasTemporaryFiles: false };
  assert.deepEqual(problems({}, more), ['binlog_transaction_compression: warning']);
  assert.deepEqual(problems({ binlog_transaction_compression: 'ON' }, more), ['binlog_transaction_compression: error']);
  assert.deepEqual(problems({ binlog_transaction_compression: 'ON' }), []);
});

it('a time zone other than UTC is worth knowing', () => {
  for (const zone of ['UTC', '+00:00', 'Etc/UTC']) assert.deepEqual(problems({ time_zone: zone }), []);
  assert.deepEqual(problems({ time_zone: 'SYSTEM', system_time_zone: 'UTC' }), []);
  assert.deepEqual(problems({ time_zone: 'SYSTEM', system_time_zone: 'CET' }), ['time_zone: warning']);
  assert.deepEqual(problems({ time_zone: 'Europe/Berlin' }), ['time_zone: warning']);
});

it('the table for signals is looked at where there is one', () => {
  const text = (name: string) => ({ name, type: 'varchar(42)', isText: true });
  const good = { name: 'a.s', columns: ['id', 'type', 'data'].map(text), isLeftOut: false };
  const signals = (more: object) => problems({}, { signalTable: { ...good, ...more } });
  assert.deepEqual(signals({}), []);
  assert.deepEqual(signals({ columns: null }), ['signal_table: error']);
  assert.deepEqual(signals({ columns: [text('id'), text('data')] }), ['signal_table_columns: error']);
  const binary = { name: 'data', type: 'blob', isText: false };
  assert.deepEqual(signals({ columns: [text('id'), text('type'), binary] }), ['signal_table_columns: error']);
  assert.deepEqual(signals({ isLeftOut: true }), ['signal_table_logged: error']);
});
