import type { ConnectorDependencies, Finding } from '../../src/core/connector.ts';
import { findingsOf } from '../../src/core/preflight-verdict.ts';
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
  return await findingsOf(async () => runChecks(await readPreflightFacts(config, sql, signal), config));
}
