import type { ConnectorConfig } from '../../src/core/connector.ts';
import type { Secret } from '../../src/core/secret.ts';
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

export interface ConnectionConfig {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: Secret | null;
  readonly database: string;
  readonly tls: ConnectionTls;
  readonly connectTimeoutMs: number;
  readonly queryTimeoutMs: number;
}

export type TlsMode = 'disable' | 'prefer' | 'require' | 'verify-ca' | 'verify-full';

/** `ca`, `cert` and `key` are the contents of the files. */
export interface ConnectionTls {
  readonly mode: TlsMode;
  readonly ca: string | null;
  readonly cert: string | null;
  readonly key: Secret | null;
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
