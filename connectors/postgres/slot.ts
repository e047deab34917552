import { FatalError } from '../../src/core/errors.ts';
import type { SlotConfig } from './config.ts';
import type { SqlConnection } from './connection.ts';
import { type Lsn, parseLsn } from './protocol/lsn.ts';
import type { ServerFacts } from './server-facts.ts';

/** A row of pg_replication_slots. */
export interface SlotFacts {
  readonly plugin: string | null;
  readonly database: string | null;
  readonly isLogical: boolean;
  readonly activePid: number | null;
  readonly confirmedFlush: Lsn | null;
  readonly restartLsn: Lsn | null;
  /** reserved, extended, unreserved, lost; null before anything is reserved. */
  readonly walStatus: string | null;
  /** Bytes that may still be written before the slot is in danger; null where there is no limit. */
  readonly safeWalBytes: number | null;
  /** Why the server gave the slot up; null while it has not (and before Postgres 16). */
  readonly invalidation: string | null;
  readonly retainedBytes: number | null;
}

interface SlotRow {
  readonly plugin: string | null;
  readonly database: string | null;
  readonly slot_type: string;
  readonly active_pid: number | null;
  readonly confirmed_flush_lsn: string | null;
  readonly restart_lsn: string | null;
  readonly wal_status: string | null;
  readonly safe_wal_size: number | null;
  readonly invalidation: string | null;
  readonly retained_bytes: number | null;
}

// Columns of newer versions are read through JSON, so that one statement serves them all.
const SLOT = `
  SELECT s.plugin::text AS plugin, s.database::text AS database, s.slot_type, s.active_pid,
         s.confirmed_flush_lsn::text AS confirmed_flush_lsn, s.restart_lsn::text AS restart_lsn, s.wal_status,
         s.safe_wal_size::float8 AS safe_wal_size,
         coalesce(to_jsonb(s) ->> 'invalidation_reason',
                  CASE WHEN to_jsonb(s) ->> 'conflicting' = 'true' THEN 'conflicting' END) AS invalidation,
         pg_catalog.pg_wal_lsn_diff(
           CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn()
                ELSE pg_catalog.pg_current_wal_insert_lsn() END, s.restart_lsn)::float8 AS retained_bytes
    FROM pg_catalog.pg_replication_slots s
   WHERE s.slot_name = $1`;

/** Null where there is no slot of that name. */
export async function readSlot(sql: SqlConnection, name: string, signal: AbortSignal): Promise<SlotFacts | null> {
  const [row] = await sql.query<SlotRow & Record<string, unknown>>('reading the slot', SLOT, [name], signal);
  if (row === undefined) return null;
  return {
    plugin: row.plugin,
    database: row.database,
    isLogical: row.slot_type === 'logical',
    activePid: row.active_pid,
    confirmedFlush: row.confirmed_flush_lsn === null ? null : parseLsn(row.confirmed_flush_lsn),
    restartLsn: row.restart_lsn === null ? null : parseLsn(row.restart_lsn),
    walStatus: row.wal_status,
    safeWalBytes: row.safe_wal_size,
    invalidation: row.invalidation,
    retainedBytes: row.retained_bytes,
  };
}

/**
 * Creates the slot and returns its consistent point: everything that commits later is decoded. Takes as long as the longest
 * transaction that runs.
 */
export async function createSlot(
  sql: SqlConnection,
  slot: SlotConfig,
  server: ServerFacts,
  signal: AbortSignal,
): Promise<Lsn> {
  const failover = server.version >= 17 && slot.failover;
  const [row] = await sql.query<{ lsn: string }>(
    'creating the slot',
    `SELECT lsn::text AS lsn FROM pg_catalog.pg_create_logical_replication_slot($1, 'pgoutput'${
      failover ? ', failover => true' : ''
    })`,
    [slot.name],
    signal,
    Number.POSITIVE_INFINITY,
  );
  const lsn = row === undefined ? null : parseLsn(row.lsn);
  if (lsn !== null) return lsn;
  throw new FatalError('Postgres created a slot without telling where it starts.', {
    code: 'POSTGRES_UNEXPECTED',
    remedy: 'Drop the slot and start the source again; if it repeats, report it.',
  });
}

/** Drops the slot if it is there. */
export async function dropSlot(sql: SqlConnection, name: string, signal: AbortSignal): Promise<void> {
  await sql.query(
    'dropping the slot',
    'SELECT pg_catalog.pg_drop_replication_slot(slot_name) FROM pg_catalog.pg_replication_slots WHERE slot_name = $1',
    [name],
    signal,
  );
}
