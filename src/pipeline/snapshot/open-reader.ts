import type { ConnectorConfig, ConnectorDependencies, SourceConnector } from '../../core/connector.ts';
import { ConfigurationError } from '../../core/errors.ts';
import type { SnapshotReader } from '../../core/snapshot.ts';

/** @throws ConfigurationError where the kind of database has no snapshots. */
export async function openReader<C extends ConnectorConfig, P>(
  connector: SourceConnector<C, P>,
  config: C,
  dependencies: ConnectorDependencies,
  signal: AbortSignal,
): Promise<SnapshotReader<P>> {
  if (connector.openSnapshotReader !== undefined) return connector.openSnapshotReader(config, dependencies, signal);
  throw new ConfigurationError(`Sources of type ${connector.type} have no snapshots yet.`, {
    code: 'SNAPSHOT_NOT_BUILT',
    remedy: 'Set snapshot.mode: no_data.',
    source: config.source.name,
  });
}
