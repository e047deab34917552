import { z } from 'zod';
import { choice, duration, fileContents, flag, integer, refuse, secret, text } from './fields.ts';

/*
 * What a source says about its database. The connector validates these settings; here they are named, so that a
 * misspelt one is found, editors complete them and the reference page lists them. Connectors take a duration as
 * `<name>_ms`.
 */

const TLS_MODES = ['disable', 'prefer', 'require', 'verify-ca', 'verify-full'] as const;

function isPercentEncoded(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch (error) {
    if (error instanceof URIError) return false;
    throw error;
  }
}

const connectionShape = {
  url: secret('a URL such as postgres://user@host:5432/database or mysql://user@host:3306')
    .superRefine((url, ctx) => {
      const text = url.reveal();
      const parsed = URL.parse(text);
      if (text.includes('#')) {
        refuse(ctx, 'has a # in it', 'Write %23 for a # in a user or a password, or set `password` instead.');
      } else if (parsed === null || !text.startsWith(`${parsed.protocol}//`)) {
        refuse(ctx, 'is not a URL', 'Write postgres://user:password@host:5432/database; %2F for a / in a password.');
      } else if (![parsed.username, parsed.password, parsed.hostname, parsed.pathname].every(isPercentEncoded)) {
        refuse(
          ctx,
          'has a % that starts no %XX',
          'Write %25 for a % in a user or a password, or set `password` instead.',
        );
      }
    })
    .optional()
    .meta({
      description: 'The database, instead of `host`, `port`, `user`, `password` and `database`. Never printed.',
    }),
  host: text().optional().meta({ description: 'Host name or address of the server.' }),
  port: integer({ min: 1, max: 65_535 }).optional().meta({ description: 'Port of the server.' }),
  user: text().optional().meta({ description: 'Role to connect as.' }),
  password: secret().optional().meta({ description: 'Password of the role. Never printed.' }),
  database: text().optional().meta({ description: 'Name of the database.' }),
  tls: z
    .strictObject({
      mode: choice(TLS_MODES).optional().meta({ description: 'How much TLS is demanded of the server.' }),
      ca_file: fileContents().optional().meta({ description: 'PEM file of the certificate authorities to trust.' }),
      cert_file: fileContents().optional().meta({ description: 'PEM file of the client certificate.' }),
      key_file: fileContents().optional().meta({ description: 'PEM file of the private key of `cert_file`.' }),
    })
    .optional()
    .meta({ description: 'TLS towards the database.' }),
};

export const postgresShape = {
  ...connectionShape,
  slot: z
    .strictObject({
      name: text().optional().meta({ description: 'Replication slot; `tailrace_<source>` when missing.' }),
      publication: text().optional().meta({ description: 'Publication; `tailrace_<source>` when missing.' }),
      autocreate: choice(['filtered', 'all_tables', 'disabled']).optional().meta({
        description: 'What the publication holds when the daemon creates it.',
      }),
      failover: flag().optional().meta({
        description: 'Whether the slot is kept on standbys too (PostgreSQL 17 and newer).',
      }),
    })
    .optional()
    .meta({ description: 'PostgreSQL: the logical replication slot and its publication.' }),
  types: z
    .strictObject({
      decimal: choice(['precise', 'double', 'string'])
        .optional()
        .meta({ description: 'How NUMERIC, DECIMAL and MONEY are written.' }),
      time: choice([
        'adaptive',
        'adaptive_time_microseconds',
        'connect',
        'isostring',
        'microseconds',
        'nanoseconds',
        'structured',
      ])
        .optional()
        .meta({ description: 'How dates and times are written.' }),
      binary: choice(['bytes', 'base64', 'base64-url-safe', 'hex'])
        .optional()
        .meta({ description: 'How BYTEA, BINARY, VARBINARY and BLOB are written.' }),
      interval: choice(['numeric', 'string']).optional().meta({ description: 'PostgreSQL: how INTERVAL is written.' }),
      hstore: choice(['json', 'map']).optional().meta({ description: 'PostgreSQL: how HSTORE is written.' }),
      money_fraction_digits: integer({ min: 0, max: 10 })
        .optional()
        .meta({ description: 'PostgreSQL: digits after the point of MONEY.' }),
      unknown: choice(['skip', 'include']).optional().meta({
        description:
          'PostgreSQL: whether columns of types that Debezium does not know are left out or written as text.',
      }),
    })
    .optional()
    .meta({ description: 'How the types of the database are written; Debezium’s names and defaults.' }),
  publish_via_partition_root: flag().optional().meta({
    description: 'PostgreSQL: whether rows of partitioned tables appear as rows of the root table.',
  }),
  status_interval: duration({ minMs: 100, maxMs: 60_000, kind: 'from 100ms to 1m' }).optional().meta({
    description: 'PostgreSQL: longest time between two status messages to the server; `10s` when missing.',
  }),
  connect_timeout: duration({ minMs: 100, maxMs: 600_000, kind: 'from 100ms to 10m' }).optional().meta({
    description: 'How long connecting may take; `10s` when missing.',
  }),
  query_timeout: duration({ minMs: 100, maxMs: 3_600_000, kind: 'from 100ms to 1h' }).optional().meta({
    description: 'How long one query of the catalog may take; `30s` when missing.',
  }),
};

/** MySQL and MariaDB: one connector with two dialects. */
export const mysqlShape = {
  ...connectionShape,
  server_id: integer({ min: 1, max: 4_294_967_295 }).optional().meta({
    description:
      'MySQL and MariaDB: id that the daemon has among the replicas of the server, which must be its own; derived from the name of the source when missing.',
  }),
  types: z
    .strictObject({
      decimal: choice(['precise', 'double', 'string']).optional().meta({ description: 'How DECIMAL is written.' }),
      time: choice(['adaptive_time_microseconds', 'connect', 'isostring', 'microseconds', 'nanoseconds', 'structured'])
        .optional()
        .meta({ description: 'How dates and times are written.' }),
      binary: choice(['bytes', 'base64', 'base64-url-safe', 'hex'])
        .optional()
        .meta({ description: 'How BINARY, VARBINARY and BLOB are written.' }),
      bigint_unsigned: choice(['long', 'precise'])
        .optional()
        .meta({ description: 'MySQL and MariaDB: how BIGINT UNSIGNED is written; `long` wraps above 2^63.' }),
    })
    .optional()
    .meta({ description: 'How the types of the database are written; Debezium’s names and defaults.' }),
  include_schema_changes: flag().optional().meta({
    description:
      'MySQL and MariaDB: whether DDL of captured tables is published to the topic `<topic_prefix>`; `true` when missing.',
  }),
  include_query: flag().optional().meta({
    description:
      'MySQL and MariaDB: whether rows carry the statement that made them, where the server logs it (`binlog_rows_query_log_events`).',
  }),
  include_schema_comments: flag().optional().meta({
    description:
      'MySQL and MariaDB: whether comments of columns are in the schema; when missing `true` for MariaDB only.',
  }),
  connect_timeout: duration({ minMs: 100, maxMs: 600_000, kind: 'from 100ms to 10m' }).optional().meta({
    description: 'How long connecting may take; `10s` when missing.',
  }),
  query_timeout: duration({ minMs: 100, maxMs: 3_600_000, kind: 'from 100ms to 1h' }).optional().meta({
    description: 'How long one query of the catalog may take; `30s` when missing.',
  }),
};

/** The settings that only the connector of a type understands, by type. */
export const DATABASE_SHAPES: Readonly<Record<string, z.ZodRawShape>> = {
  postgres: postgresShape,
  mysql: mysqlShape,
  mariadb: mysqlShape,
};

/** The settings of all kinds of databases: for a source whose type is missing, for editors and for the reference page. */
export const anyDatabaseShape = {
  ...mysqlShape,
  ...postgresShape,
  types: postgresShape.types
    .unwrap()
    .extend(mysqlShape.types.unwrap().pick({ bigint_unsigned: true }).shape)
    .optional()
    .meta({
      description: 'How the types of the database are written; Debezium’s names and defaults.',
    }),
};
