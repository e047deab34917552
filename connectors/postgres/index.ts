import type { SourceConnector } from '../../src/core/connector.ts';
import type { PostgresConfig } from './config.ts';
import { parsePostgresConfig } from './parse-config.ts';
import { type PgPosition, pgPositions } from './positions.ts';
import { preflight } from './preflight.ts';
import { PgSession } from './session.ts';
import { PgSnapshotReader } from './snapshot/snapshot-reader.ts';
import { CONNECTOR_NAME } from './source-block.ts';
import { openTail } from './tail.ts';
import { teardown } from './teardown.ts';

/** PostgreSQL 14 to 18, by logical decoding with pgoutput. */
export const connector: SourceConnector<PostgresConfig, PgPosition> = {
  type: 'postgres',
  connectorName: CONNECTOR_NAME,
  positions: pgPositions,
  parseConfig: parsePostgresConfig,
  preflight,
  open: (config, dependencies, signal) => PgSession.open(config, dependencies, signal),
  openSnapshotReader: (config, dependencies, signal) => PgSnapshotReader.open(config, dependencies, signal),
  teardown,
  openTail,
};
