import type { ConnectorConfig } from '../../src/core/connector.ts';
import type { DatabaseConnection } from '../../src/core/database-connection.ts';
import type { Dialect, TypeModes } from './mysql-type.ts';

/** What the MySQL connector knows of a source; everything is resolved, files are read. */
export interface MySqlConfig extends ConnectorConfig {
  readonly dialect: Dialect;
  readonly connection: DatabaseConnection;
  readonly types: TypeModes;
  /** Among the replicas of the server. */
  readonly serverId: number;
  readonly includeSchemaChanges: boolean;
  /** Whether rows carry the statement that made them, where the server logs it. */
  readonly includeQuery: boolean;
}
