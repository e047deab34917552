import type { ConnectorDependencies } from '../../src/core/connector.ts';
import type { PostgresConfig } from './config.ts';
import { SqlConnection } from './connection.ts';
import { PublicationSetup } from './publication-setup.ts';
import { readServerFacts } from './server-facts.ts';
import { dropSlot } from './slot.ts';

/** Drops the slot, and the publications that the source creates itself. What is not there counts as dropped. */
export async function teardown(
  config: PostgresConfig,
  dependencies: ConnectorDependencies,
  signal: AbortSignal,
): Promise<void> {
  await using sql = new SqlConnection(config.connection, `teardown ${config.source.name}`);
  const server = await readServerFacts(sql, signal);
  await dropSlot(sql, config.slot.name, signal);
  await new PublicationSetup(config, sql, server, dependencies.logger).drop(signal);
}
