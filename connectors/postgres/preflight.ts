import type { ConnectorDependencies, Finding } from '../../src/core/connector.ts';
import type { PostgresConfig } from './config.ts';

export async function preflight(
  _config: PostgresConfig,
  _dependencies: ConnectorDependencies,
  _signal: AbortSignal,
): Promise<readonly Finding[]> {
  return [];
}
