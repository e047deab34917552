import { ConfigurationError } from '../../src/core/errors.ts';
import { listed } from '../../src/core/preflight-verdict.ts';
import type { PostgresConfig } from './config.ts';
import { runChecks } from './preflight-checks.ts';
import type { PreflightFacts } from './preflight-facts.ts';

/** Checks of a source that also decide whether a tail can run; the rest is about what lasts. */
const RELEVANT: ReadonlySet<string> = new Set([
  'server_version',
  'wal_level',
  'replication_privilege',
  'replication_slots',
  'wal_senders',
]);

/**
 * Whether the server lets this role tail these tables. Pure: the facts were read before.
 * @throws ConfigurationError with the remedy for the first thing that is missing.
 */
export function requireTailable(facts: PreflightFacts, config: PostgresConfig): void {
  const { role, tables, notOwned } = facts;
  const { database } = config.connection;
  const failed = runChecks(facts, config).find(({ check, severity }) => RELEVANT.has(check) && severity === 'error');
  if (failed !== undefined) throw notTailable('POSTGRES_NOT_READY', failed.problem, failed.remedy);
  if (!role.canCreateInDatabase) {
    throw notTailable(
      'POSTGRES_PRIVILEGE_MISSING',
      `The role ${role.name} may not create a publication in ${database}, which a tail has for as long as it runs.`,
      `GRANT CREATE ON DATABASE "${database}" TO "${role.name}", or tail as the owner of the database.`,
    );
  }
  if (tables.length === 0 && config.source.tables.include.length > 0) {
    throw notTailable(
      'POSTGRES_NO_SUCH_TABLE',
      `No table of ${database} matches --table.`,
      'Write --table public.orders, for example; without --table every table is shown.',
    );
  }
  if (notOwned.length > 0) {
    throw notTailable(
      'POSTGRES_PRIVILEGE_MISSING',
      `The role ${role.name} does not own ${listed(notOwned)}, so it cannot publish them.`,
      'Name its own tables with --table, or tail as a member of the owning role.',
    );
  }
}

function notTailable(code: string, problem: string, remedy: string): ConfigurationError {
  return new ConfigurationError(problem, { code, remedy });
}
