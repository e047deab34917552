import type { ConnectorConfig } from '../../src/core/connector.ts';
import type { DatabaseConnection } from '../../src/core/database-connection.ts';
import type { TypeModes } from './pg-type.ts';

/** What the Postgres connector knows of a source; everything is resolved, files are read. */
export interface PostgresConfig extends ConnectorConfig {
  readonly connection: ConnectionConfig;
  readonly types: TypeModes;
  readonly slot: SlotConfig;
  /** Rows of partitioned tables appear as rows of the root. */
  readonly publishViaPartitionRoot: boolean;
  /** Longest time between two standby status messages. */
  readonly statusIntervalMs: number;
}

/** Postgres connects to one database. */
export interface ConnectionConfig extends DatabaseConnection {
  readonly database: string;
}

export interface SlotConfig {
  readonly name: string;
  readonly publication: string;
  /** Debezium's `publication.autocreate.mode`. */
  readonly autocreate: 'filtered' | 'all_tables' | 'disabled';
  /** Synchronise the slot to standbys (Postgres 17 and newer). */
  readonly failover: boolean;
}

/** Tables whose UPDATE and DELETE Postgres would refuse to publish: only their inserts and truncates are. */
export function insertOnlyPublication(slot: SlotConfig): string {
  return `${slot.publication}_insert_only`;
}
