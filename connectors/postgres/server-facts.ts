import { FatalError } from '../../src/core/errors.ts';
import type { SqlConnection } from './connection.ts';
import { type Lsn, parseLsn } from './protocol/lsn.ts';

/** What a server is, read once per session. */
export interface ServerFacts {
  readonly systemIdentifier: string;
  readonly timeline: number;
  /** Major version. */
  readonly version: number;
  readonly isStandby: boolean;
  readonly walSenderTimeoutMs: number;
  readonly encoding: string;
}

interface ServerRow {
  readonly system_identifier: string;
  readonly timeline: number;
  readonly version_num: number;
  readonly is_standby: boolean;
  readonly wal_sender_timeout_ms: number;
  readonly encoding: string;
}

const SERVER = `
  SELECT s.system_identifier::text AS system_identifier,
         -- The checkpoint's timeline is behind right after a promotion; the name of the current segment is not.
         CASE WHEN pg_catalog.pg_is_in_recovery() THEN c.timeline_id
              ELSE ('x' || substr(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_insert_lsn()), 1, 8))::bit(32)::int
         END AS timeline,
         current_setting('server_version_num')::int AS version_num,
         pg_catalog.pg_is_in_recovery() AS is_standby,
         (SELECT setting::int FROM pg_catalog.pg_settings WHERE name = 'wal_sender_timeout') AS wal_sender_timeout_ms,
         pg_catalog.pg_encoding_to_char(d.encoding) AS encoding
    FROM pg_catalog.pg_control_system() s, pg_catalog.pg_control_checkpoint() c, pg_catalog.pg_database d
   WHERE d.datname = current_database()`;

const HEAD = `
  SELECT CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn()
              ELSE pg_catalog.pg_current_wal_insert_lsn() END::text AS lsn`;

export async function readServerFacts(sql: SqlConnection, signal: AbortSignal): Promise<ServerFacts> {
  const [row] = await sql.query<ServerRow & Record<string, unknown>>('reading what the server is', SERVER, [], signal);
  if (row === undefined) throw missing('its identity');
  return {
    systemIdentifier: row.system_identifier,
    timeline: row.timeline,
    version: Math.floor(row.version_num / 10_000),
    isStandby: row.is_standby,
    walSenderTimeoutMs: row.wal_sender_timeout_ms,
    encoding: row.encoding,
  };
}

/** End of the server's log now. */
export async function readHead(sql: SqlConnection, signal: AbortSignal): Promise<Lsn> {
  const [row] = await sql.query<{ lsn: string }>('reading the end of the log', HEAD, [], signal);
  const lsn = row === undefined ? null : parseLsn(row.lsn);
  if (lsn === null) throw missing('the end of its log');
  return lsn;
}

export function serverIdentity(facts: Pick<ServerFacts, 'systemIdentifier' | 'timeline'>): string {
  return `${facts.systemIdentifier}:${facts.timeline}`;
}

function missing(what: string): FatalError {
  return new FatalError(`Postgres did not tell ${what}.`, {
    code: 'POSTGRES_UNEXPECTED',
    remedy: 'Is this really a PostgreSQL server of version 14 or newer? If so, report it.',
  });
}
