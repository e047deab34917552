import type { Finding } from '../../src/core/connector.ts';
import { type Check, error, FINE, listed, runAll, warning } from '../../src/core/preflight-verdict.ts';
import type { PostgresConfig } from './config.ts';
import { type PreflightFacts, streamApplicationName } from './preflight-facts.ts';
import { uncoveredTables } from './publication-coverage.ts';
import { findProblems, planPublications } from './publication-plan.ts';
import { publicationNames, publicationPair } from './publication-setup.ts';
import { SIGNAL_TABLE_CHECKS } from './signal-table-checks.ts';

const OLDEST_VERSION = 14;
const NEWEST_VERSION = 18;
const SHORTEST_SENDER_TIMEOUT_MS = 10_000;

/** Every check by its name. Pure: the facts were read before. */
const CHECKS: Readonly<Record<string, Check<PreflightFacts, PostgresConfig>>> = {
  server_version: ({ server }) => {
    if (server.version < OLDEST_VERSION) {
      return error(`The server is PostgreSQL ${server.version}.`, `Upgrade it to ${OLDEST_VERSION} or newer.`);
    }
    if (server.version <= NEWEST_VERSION) return FINE;
    return warning(
      `PostgreSQL ${server.version} is newer than what this was tested with (${NEWEST_VERSION}).`,
      'Try it on a copy first, and look for a newer release of tailrace.',
    );
  },
  encoding: ({ server }) =>
    server.encoding === 'UTF8'
      ? FINE
      : server.encoding === 'SQL_ASCII'
        ? warning(
            'The database has the encoding SQL_ASCII: the server does not check what is stored.',
            'Text that is not UTF-8 stops the source (or is a dead letter, by on_poison); correct such rows.',
          )
        : FINE,
  wal_level: ({ settings }) =>
    settings.walLevel === 'logical'
      ? FINE
      : error(
          `wal_level is ${settings.walLevel}; changes cannot be decoded.`,
          'Set wal_level = logical and restart the server (at Amazon RDS: rds.logical_replication = 1).',
        ),
  replication_privilege: ({ role }) =>
    role.canReplicate
      ? FINE
      : error(
          `The role ${role.name} may not replicate.`,
          `ALTER ROLE ${role.name} REPLICATION (at Amazon RDS: GRANT rds_replication TO ${role.name}).`,
        ),
  replication_slots: ({ settings, slot }) =>
    slot !== null || settings.usedReplicationSlots < settings.maxReplicationSlots
      ? FINE
      : error(
          `All ${settings.maxReplicationSlots} replication slots are in use.`,
          'Drop slots that nobody reads, or raise max_replication_slots and restart the server.',
        ),
  wal_senders: ({ settings }) =>
    settings.usedWalSenders < settings.maxWalSenders
      ? FINE
      : error(
          `All ${settings.maxWalSenders} WAL senders are in use.`,
          'Raise max_wal_senders and restart the server, or stop a reader.',
        ),
  slot: ({ slot }, config) => {
    const { name } = config.slot;
    if (slot === null) return FINE;
    if (!slot.isLogical || slot.plugin !== 'pgoutput' || slot.database !== config.connection.database) {
      return error(`The slot "${name}" was made for something else.`, 'Set slot.name to another name.');
    }
    if (slot.walStatus === 'lost' || slot.invalidation !== null) {
      return error(
        `The server gave the slot "${name}" up (${slot.invalidation ?? 'its WAL was removed'}).`,
        'Run `tailrace resync`; raise max_slot_wal_keep_size so that it does not happen again.',
      );
    }
    if (slot.walStatus === 'unreserved' || slot.walStatus === 'extended') {
      return warning(
        `The slot "${name}" holds more WAL than the server keeps (wal_status ${slot.walStatus}).`,
        'Let the source catch up before the server gives the slot up.',
      );
    }
    return FINE;
  },
  slot_failover: ({ server }, { slot }) =>
    slot.failover && server.version < 17
      ? warning(
          'slot.failover needs PostgreSQL 17; this server loses the slot at a failover.',
          'Upgrade the server, or be ready to resync after a failover.',
        )
      : FINE,
  wal_retention: ({ settings }) =>
    settings.maxSlotWalKeepMb < 0
      ? warning(
          'max_slot_wal_keep_size is unlimited: a source that stands still fills the disk of the server.',
          'Set a limit that the disk can hold, and an alert on tailrace_postgres_retained_wal_bytes.',
        )
      : FINE,
  idle_slot_timeout: ({ settings }) =>
    settings.idleSlotTimeoutMs === null || settings.idleSlotTimeoutMs === 0
      ? FINE
      : warning(
          `idle_replication_slot_timeout gives a slot up after ${settings.idleSlotTimeoutMs / 1000} s without a reader.`,
          'Make it longer than any planned stop of the daemon.',
        ),
  wal_sender_timeout: ({ settings }) =>
    settings.walSenderTimeoutMs === 0 || settings.walSenderTimeoutMs >= SHORTEST_SENDER_TIMEOUT_MS
      ? FINE
      : warning(
          `wal_sender_timeout is ${settings.walSenderTimeoutMs} ms: a short pause ends the stream.`,
          'Raise it to 30 s or more.',
        ),
  synchronous_standby: ({ settings }, config) =>
    matchesStandbyNames(settings.synchronousStandbyNames, streamApplicationName(config))
      ? warning(
          `synchronous_standby_names (${settings.synchronousStandbyNames}) counts this stream as a standby: commits wait for Kafka.`,
          'Name the real standbys there instead of *.',
        )
      : FINE,
  publication: ({ publications, role, notOwned, tables }, config) => {
    const { slot } = config;
    const existing = new Set(publications.map((publication) => publication.name));
    const missing = publicationNames(config).filter((name) => !existing.has(name));
    const uncovered = uncoveredTables(publications, tables, slot.autocreate === 'filtered');
    if (missing.length === 0 && uncovered.length === 0) return FINE;
    if (slot.autocreate === 'disabled') {
      return missing.length > 0
        ? error(`The publication "${slot.publication}" does not exist.`, 'Create it, or set slot.autocreate: filtered.')
        : warning(
            `Not in the publication "${slot.publication}": ${listed(uncovered.map(nameOf))}.`,
            'Add these tables to it, or leave them out of tables.include.',
          );
    }
    if (slot.autocreate === 'all_tables' && !role.isSuperuser) {
      return error(
        'Only a superuser creates a publication for all tables.',
        `Create it by hand as a superuser: CREATE PUBLICATION "${slot.publication}" FOR ALL TABLES; or set slot.autocreate: filtered.`,
      );
    }
    if (missing.length > 0 && !role.canCreateInDatabase) {
      return error(
        `The role ${role.name} may not create publications in this database.`,
        `GRANT CREATE ON DATABASE "${config.connection.database}" TO ${role.name}, or create them by hand.`,
      );
    }
    const foreign = uncovered.map(nameOf).filter((name) => notOwned.includes(name));
    return foreign.length === 0
      ? FINE
      : error(
          `The role ${role.name} does not own ${listed(foreign)}, so it cannot publish them.`,
          'Make it a member of the owning role, or create the publication as the owner and set slot.autocreate: disabled.',
        );
  },
  replica_identity: ({ tables, publications }, { slot }) => {
    const without = tables.filter((table) => !table.hasIdentity);
    if (without.length === 0) return FINE;
    const names = listed(without.map(nameOf));
    const refused = refusals(publications, tables, slot);
    const remedy = 'Give them a primary key, or ALTER TABLE … REPLICA IDENTITY FULL.';
    if (refused.length > 0) {
      return error(
        `UPDATE and DELETE fail on ${listed(refused.map(nameOf))}: they are published without a usable replica identity.`,
        remedy,
      );
    }
    return warning(`Only INSERT and TRUNCATE are captured of ${names}: no usable replica identity.`, remedy);
  },
  table_privileges: ({ unreadable, role }) =>
    unreadable.length === 0
      ? FINE
      : warning(
          `The role ${role.name} may not read ${listed(unreadable)}; streaming does not need it, a snapshot does.`,
          `GRANT SELECT on them (and USAGE on their schemas) TO ${role.name}.`,
        ),
  toast: ({ withToast }) =>
    withToast.length === 0
      ? FINE
      : warning(
          `Updates of ${listed(withToast)} leave out large values that did not change.`,
          'Consumers get the unavailable placeholder for them; REPLICA IDENTITY FULL sends them always, at the price of more WAL.',
        ),
};

export function runChecks(facts: PreflightFacts, config: PostgresConfig): Finding[] {
  const ofSignals = facts.signalTable === null ? [] : runAll(SIGNAL_TABLE_CHECKS, facts, config);
  return [...runAll(CHECKS, facts, config), ...ofSignals];
}

/** Tables whose UPDATE and DELETE fail, or will. What the source repairs by itself within seconds is not among them. */
function refusals(
  publications: PreflightFacts['publications'],
  tables: PreflightFacts['tables'],
  slot: PostgresConfig['slot'],
): PreflightFacts['tables'] {
  if (slot.autocreate === 'all_tables') return tables.filter((table) => !table.hasIdentity);
  const problems =
    slot.autocreate === 'filtered'
      ? planPublications(publications, tables, tables, publicationPair(slot)).problems
      : findProblems(publications, tables, tables);
  return problems.filter(({ kind }) => kind === 'refused').map(({ table }) => table);
}

/** Whether a setting such as `FIRST 1 (a, "b c")`, `a, b` or `*` names the application. */
export function matchesStandbyNames(setting: string, applicationName: string): boolean {
  const names = setting.replace(/^\s*(?:(?:FIRST|ANY)\s+)?\d+\s*\(([^)]*)\)\s*$/i, '$1').split(',');
  return names.some((name) => {
    const trimmed = name.trim();
    const unquoted = /^"(.*)"$/.exec(trimmed)?.[1]?.replaceAll('""', '"') ?? trimmed;
    return unquoted === '*' || unquoted.toLowerCase() === applicationName.toLowerCase();
  });
}

function nameOf(table: { schema: string; name: string }): string {
  return `${table.schema}.${table.name}`;
}
