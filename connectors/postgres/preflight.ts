import type { ConnectorDependencies, Finding } from '../../src/core/connector.ts';
import { TailraceError } from '../../src/core/errors.ts';
import type { PostgresConfig } from './config.ts';
import { SqlConnection } from './connection.ts';
import { runChecks } from './preflight-checks.ts';
import { readPreflightFacts } from './preflight-facts.ts';

/** Looks at the server, the role, the slot and the tables. A server that cannot be asked is a finding too. */
export async function preflight(
  config: PostgresConfig,
  _dependencies: ConnectorDependencies,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  await using sql = new SqlConnection(config.connection, `check ${config.source.name}`);
  try {
    const facts = await readPreflightFacts(config, sql, signal);
    return [{ check: 'connection', severity: 'ok', problem: '', remedy: '' }, ...runChecks(facts, config)];
  } catch (error) {
    if (!(error instanceof TailraceError)) throw error;
    return [{ check: 'connection', severity: 'error', problem: error.message, remedy: error.remedy }];
  }
}
