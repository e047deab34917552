import type { SourceConnector } from '../../src/core/connector.ts';
import type { MySqlConfig } from './config.ts';
import type { Dialect } from './mysql-type.ts';
import { parseMySqlConfig } from './parse-config.ts';
import { type MySqlPosition, mysqlPositions } from './positions.ts';
import { preflight } from './preflight.ts';
import { MySqlSession } from './session.ts';
import { MySqlSnapshotReader } from './snapshot/snapshot-reader.ts';
import { openTail } from './tail.ts';
import { teardown } from './teardown.ts';

/** MySQL 5.6 to 9, by its binlog. */
export const mysql = connectorOf('mysql');
/** MariaDB 10.5 and newer, by its binlog. */
export const mariadb = connectorOf('mariadb');

function connectorOf(dialect: Dialect): SourceConnector<MySqlConfig, MySqlPosition> {
  return {
    type: dialect,
    connectorName: dialect,
    positions: mysqlPositions(dialect),
    parseConfig: (source) => parseMySqlConfig(dialect, source),
    preflight,
    open: (config, dependencies, signal) => MySqlSession.open(config, dependencies, signal),
    openSnapshotReader: (config, dependencies, signal) => MySqlSnapshotReader.open(config, dependencies, signal),
    teardown,
    openTail: (target, dependencies, signal) => openTail(dialect, target, dependencies, signal),
  };
}
