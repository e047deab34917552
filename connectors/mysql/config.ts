import type { ConnectorConfig } from '../../src/core/connector.ts';
import type { Secret } from '../../src/core/secret.ts';
import type { Dialect, TypeModes } from './mysql-type.ts';

/** What the MySQL connector knows of a source; everything is resolved, files are read. */
export interface MySqlConfig extends ConnectorConfig {
  readonly dialect: Dialect;
  readonly connection: ConnectionConfig;
  readonly types: TypeModes;
  /** Among the replicas of the server. */
  readonly serverId: number;
  readonly includeSchemaChanges: boolean;
  /** Whether rows carry the statement that made them, where the server logs it. */
  readonly includeQuery: boolean;
}

export interface ConnectionConfig {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: Secret | null;
  /** Default database of the connection, or null. */
  readonly database: string | null;
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
