import type { Finding } from '../../src/core/connector.ts';
import { type Check, error, FINE, listed, runAll, warning } from '../../src/core/preflight-verdict.ts';
import type { MySqlConfig } from './config.ts';
import { missingGrants, missingOnTables } from './grants.ts';
import type { PreflightFacts } from './preflight-facts.ts';
import { SIGNAL_TABLE_CHECKS } from './signal-table-checks.ts';
import { openWithoutLock } from './snapshot/open-bounds.ts';

const SHORTEST_RETENTION_S = 86_400;
/** Engines whose changes are part of transactions. */
const TRANSACTIONAL: ReadonlySet<string> = new Set(['InnoDB', 'NDB', 'ndbcluster', 'MyRocks', 'ROCKSDB']);

const UTC = /^(UTC|GMT|Etc\/(UTC|GMT|Universal)|Zulu|Universal|[+-]0?0:00)$/i;

/** Every check by its name. Pure: the facts were read before. */
const CHECKS: Readonly<Record<string, Check<PreflightFacts, MySqlConfig>>> = {
  log_bin: (facts) =>
    isOn(variable(facts, 'log_bin'))
      ? FINE
      : error(
          'The server writes no binlog.',
          'Set log_bin and restart the server (managed services: turn on backups).',
        ),
  binlog_format: (facts) => {
    // Servers that have only this format no longer have the variable.
    const format = variable(facts, 'binlog_format') ?? 'ROW';
    if (format === 'ROW') return FINE;
    return error(
      `binlog_format is ${format}: statements are logged instead of rows.`,
      'SET PERSIST binlog_format = ROW, and let no session set another.',
    );
  },
  binlog_row_image: (facts) => {
    const image = (variable(facts, 'binlog_row_image') ?? 'FULL').toUpperCase();
    if (image === 'FULL') return FINE;
    return warning(
      `binlog_row_image is ${image}: columns that the log leaves out are published as unavailable.`,
      'Set binlog_row_image = FULL.',
    );
  },
  binlog_row_metadata: (facts) => {
    const metadata = (variable(facts, 'binlog_row_metadata') ?? 'NO_LOG').toUpperCase();
    if (metadata === 'FULL') return FINE;
    return warning(
      `binlog_row_metadata is ${metadata}: the log has no column names, so a table that changes while the daemon is away can need a resync.`,
      'SET PERSIST binlog_row_metadata = FULL (MySQL 8.0.1, MariaDB 10.5 and newer have it).',
    );
  },
  binlog_row_value_options: (facts) => {
    const options = variable(facts, 'binlog_row_value_options') ?? '';
    if (!options.toUpperCase().includes('PARTIAL_JSON')) return FINE;
    return error(
      'binlog_row_value_options is PARTIAL_JSON: updates of JSON columns are logged in parts.',
      "Set binlog_row_value_options = ''.",
    );
  },
  gtid: (facts, { dialect }) => {
    if (dialect === 'mariadb' || facts.server.hasGtids) return FINE;
    return warning(
      'gtid_mode is off: after a failover the source needs a resync.',
      'Turn on enforce_gtid_consistency and gtid_mode, step by step as the manual says.',
    );
  },
  retention: (facts) => {
    const seconds = retentionSeconds(facts);
    if (seconds === 0 || seconds >= SHORTEST_RETENTION_S) return FINE;
    return warning(
      `Binlogs are kept for ${Math.round(seconds / 3600)} h: a longer break of the daemon needs a resync.`,
      'Raise binlog_expire_logs_seconds (older servers: expire_logs_days; RDS: mysql.rds_set_configuration).',
    );
  },
  grants: (facts, { dialect }) => {
    const missing = missingGrants(facts.grants, dialect, facts.tables);
    if (missing.length === 0) return FINE;
    return error(
      `The account lacks ${listed(missing)}.`,
      missing
        .slice(0, 3)
        .map((grant) => `GRANT ${grant} TO the account.`)
        .join(' '),
    );
  },
  binlog_transaction_compression: (facts) => {
    if (facts.hasTemporaryFiles) return FINE;
    const remedy =
      'Let TMPDIR name a directory on disk that the daemon may write to (in a container with a read-only root: a volume).';
    const what = 'The temporary directory of this process cannot be written';
    return isOn(variable(facts, 'binlog_transaction_compression'))
      ? error(`${what}, and transactions are compressed: one of 4 MiB would stop the source.`, remedy)
      : warning(
          `${what}: a compressed transaction of 4 MiB, or a prepared one of 1 MiB, would stop the source.`,
          remedy,
        );
  },
  time_zone: (facts) => {
    const zone = variable(facts, 'time_zone') ?? 'SYSTEM';
    const actual = zone === 'SYSTEM' ? (variable(facts, 'system_time_zone') ?? 'UTC') : zone;
    if (UTC.test(actual)) return FINE;
    return warning(
      `The time zone of the server is ${actual}: TIMESTAMP is published in UTC, DATETIME and TIME as they were written.`,
      'Consumers that compare the two must know the zone of DATETIME; or write UTC, or use TIMESTAMP.',
    );
  },
  server_id: (facts, { serverId }) => {
    if (Number(variable(facts, 'server_id')) === serverId) {
      return error(
        `server_id ${serverId} is that of the server itself.`,
        'Set server_id of the source to another number.',
      );
    }
    if (!facts.replicaIds.includes(serverId)) return FINE;
    return warning(
      `A replica with the id ${serverId} is connected, this source perhaps; two of one id disconnect each other.`,
      'If it is another one, set server_id of the source to another number.',
    );
  },
  replica_updates: (facts) => {
    const value = variable(facts, 'log_replica_updates') ?? variable(facts, 'log_slave_updates');
    if (isOn(value)) return FINE;
    return warning(
      'log_replica_updates is off: if the server is a replica, what it replicates is not in its binlog.',
      'Set log_replica_updates = ON (log_slave_updates on older servers) and restart the server, or read from the primary.',
    );
  },
  mysql56_temporal_format: (facts, { dialect }) => {
    if (dialect === 'mysql' || isOn(variable(facts, 'mysql56_temporal_format') ?? 'ON')) return FINE;
    return error(
      'mysql56_temporal_format is off: the log does not say how many fractional digits a time has.',
      'Set mysql56_temporal_format = ON and rebuild the tables with times (ALTER TABLE … FORCE).',
    );
  },
  tables: (facts) =>
    facts.tables.length > 0
      ? FINE
      : warning(
          'No table is captured.',
          'Correct tables.include and tables.exclude (patterns are matched on database.table), or grant SELECT on them: an account does not see what it may not read.',
        ),
  keys: (facts) => {
    const without = facts.tables.filter(({ hasKey }) => !hasKey).map(({ name }) => name);
    if (without.length === 0) return FINE;
    return warning(
      `No key: ${listed(without)}. Their records have none either.`,
      'Give them primary keys, or set message_key.',
    );
  },
  snapshot_locks: (facts) => {
    const tellsAll = openWithoutLock(facts.server) !== null;
    const locked = facts.tables.filter(({ hasKey }) => !tellsAll || !hasKey);
    if (locked.length === 0) return FINE;
    const names = listed(locked.map(({ name }) => name));
    const missing = missingOnTables(facts.grants, 'LOCK TABLES', locked);
    const [lacks, setting] =
      facts.server.dialect === 'mysql'
        ? ['has no GTIDs', 'gtid_mode']
        : ['tells of commits too early', 'binlog_optimize_thread_scheduling'];
    const why = tellsAll
      ? 'Without a key a table is read in one piece, and may have to be locked for a moment before a snapshot reads it'
      : `The server ${lacks}: a snapshot locks tables for a moment (LOCK TABLES … READ) before it reads them`;
    const grant =
      missing.length === 0 ? '' : `GRANT ${missing.slice(0, 3).join(', ')} TO the account, or a snapshot cannot. `;
    return warning(
      `${why}: ${names}.${missing.length === 0 ? '' : ' The account may not do that.'}`,
      `${grant}To do without: ${tellsAll ? 'give them primary keys' : `turn on ${setting}`}.`,
    );
  },
  engines: (facts) => {
    const others = facts.tables.filter(({ engine }) => !TRANSACTIONAL.has(engine)).map(({ name }) => name);
    if (others.length === 0) return FINE;
    return warning(
      `Not transactional: ${listed(others)}. A statement that also changes other tables and fails cannot be taken back.`,
      'Convert them to InnoDB.',
    );
  },
};

export function runChecks(facts: PreflightFacts, config: MySqlConfig): Finding[] {
  const ofSignals = facts.signalTable === null ? [] : runAll(SIGNAL_TABLE_CHECKS, facts, config);
  return [...runAll(CHECKS, facts, config), ...ofSignals];
}

function retentionSeconds(facts: PreflightFacts): number {
  const seconds = Number(variable(facts, 'binlog_expire_logs_seconds') ?? 0);
  return seconds > 0 ? seconds : Number(variable(facts, 'expire_logs_days') ?? 0) * 86_400;
}

function variable({ server }: PreflightFacts, name: string): string | undefined {
  return server.variables.get(name);
}

function isOn(value: string | undefined): boolean {
  return value === 'ON' || value === '1';
}
