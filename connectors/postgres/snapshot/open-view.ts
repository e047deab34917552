import { codeOf } from '../../../src/core/error-classification.ts';
import { TransientError } from '../../../src/core/errors.ts';
import type { SnapshotTable, ViewRefusal, ViewRequest } from '../../../src/core/snapshot.ts';
import { qualifiedName } from '../../../src/core/table.ts';
import type { PostgresConfig } from '../config.ts';
import type { SqlQueries } from '../connection.ts';
import type { PgPosition } from '../positions.ts';
import { type Lsn, parseLsn } from '../protocol/lsn.ts';
import { quoteLiteral } from '../protocol/start-replication.ts';
import type { ServerFacts } from '../server-facts.ts';
import { qualified } from './key-order.ts';
import { type MvccSnapshot, parseMvccSnapshot } from './mvcc-snapshot.ts';
import { nudge } from './nudge.ts';
import { readViewTables } from './read-view-tables.ts';
import type { ReaderConnection } from './reader-connection.ts';
import type { ViewPoint } from './row-batch.ts';
import { PgViewMark } from './view-mark.ts';
import type { KnownVersions, ViewTable } from './view-table.ts';
import type { Visibility } from './visibility.ts';

/** The stream rests while a view waits for a lock. */
const LOCK_TIMEOUT_MS = 1_000;
const LOCK_NOT_AVAILABLE = '55P03';
const UNDEFINED_TABLE = '42P01';

export interface ViewOpening {
  readonly config: PostgresConfig;
  readonly server: ServerFacts;
  /** Beside the view. */
  readonly sql: SqlQueries;
  readonly connections: readonly ReaderConnection[];
  readonly visibility: Visibility;
  readonly versions: KnownVersions;
}

export interface OpenedView {
  readonly tables: ReadonlyMap<string, ViewTable>;
  readonly mark: PgViewMark;
  readonly point: ViewPoint;
}

interface FirstRow {
  readonly snapshot: string;
  readonly exported: string | null;
  readonly high: string;
  readonly time_us: number;
  readonly is_standby: boolean;
}

// In one statement: its snapshot is taken before anything of it is computed, so what is visible lies before `high`. On a
// standby a commit becomes visible before it counts as replayed, but never before it was received.
const FIRST = `
  SELECT pg_catalog.pg_current_snapshot()::text AS snapshot,
         CASE WHEN $1 THEN pg_catalog.pg_export_snapshot() END AS exported,
         CASE WHEN pg_catalog.pg_is_in_recovery()
              THEN greatest(pg_catalog.pg_last_wal_receive_lsn(), pg_catalog.pg_last_wal_replay_lsn())
              ELSE pg_catalog.pg_current_wal_insert_lsn() END::text AS high,
         (extract(epoch FROM pg_catalog.clock_timestamp()) * 1000000)::int8::float8 AS time_us,
         pg_catalog.pg_is_in_recovery() AS is_standby`;

const LOCKED_BY = `
  SELECT l.relation::pg_catalog.regclass::text AS "table", l.pid,
         floor(extract(epoch FROM pg_catalog.now() - a.xact_start))::float8 AS seconds
    FROM pg_catalog.pg_locks l
    LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
   WHERE l.locktype = 'relation' AND l.mode = 'AccessExclusiveLock'
     AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
     AND l.relation = ANY(SELECT pg_catalog.to_regclass(name)::oid FROM unnest($1::text[]) AS name)
   ORDER BY l.granted DESC, a.xact_start
   LIMIT 1`;

/**
 * Begins a transaction in each connection, locks the tables, and takes one snapshot for all. The locks come first: a table
 * that is rewritten or truncated after the snapshot was taken looks empty in it. Each connection has its own, since it would
 * else queue behind whoever waits for the lock of another.
 * An idle primary is given something to log, by which the stream passes the view. The caller ends the transactions, whatever
 * comes back.
 */
export async function beginView(
  opening: ViewOpening,
  request: ViewRequest<PgPosition>,
  signal: AbortSignal,
): Promise<OpenedView | ViewRefusal> {
  const { config, server, connections, visibility, versions } = opening;
  const [leader, ...followers] = connections as [ReaderConnection, ...ReaderConnection[]];
  const refusal = await lockTables(opening, request.tables, signal);
  if (refusal !== null) return { refusal };
  const pending = await visibility.begin(request.emittedUpTo, signal);
  const first = await takeSnapshot(leader, followers.length > 0, server, signal);
  const judged = await pending.judge({ snapshot: first.snapshot, high: first.high }, signal);
  if (typeof judged === 'string') return { refusal: judged };
  // All at once: the stream rests, and each trip to the server is time in which nothing is read.
  const share = async (follower: ReaderConnection) => {
    const statement = `SET TRANSACTION SNAPSHOT ${quoteLiteral(first.exported ?? '')}`;
    await follower.query('sharing a snapshot', statement, [], signal);
    await follower.allowCopies(signal);
  };
  const lookUp = async () => {
    const names = request.tables.map(({ id }) => ({ schema: id.schema ?? '', name: id.name }));
    const found = await readViewTables(leader, names, config, server, versions, signal);
    await leader.allowCopies(signal);
    return found;
  };
  const pushed = server.isStandby ? Promise.resolve() : nudge(opening.sql, server, config.source.name, signal);
  const others = [pushed, ...followers.map(share)];
  const [tables] = await Promise.all([lookUp(), ...others]).finally(() => Promise.allSettled(others));
  for (const table of request.tables) requireSame(table, tables.get(qualifiedName(table.id)));
  return { tables, mark: new PgViewMark(first.high, judged), point: { lsn: first.high, timeUs: first.timeUs } };
}

/** @returns why not. */
async function lockTables(
  { connections, sql }: ViewOpening,
  tables: readonly SnapshotTable[],
  signal: AbortSignal,
): Promise<string | null> {
  const names = tables.map(({ id }) => qualified([id.schema ?? '', id.name]));
  const statements = [
    'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY',
    `SET LOCAL lock_timeout = ${LOCK_TIMEOUT_MS}`,
    ...(names.length === 0 ? [] : [`LOCK TABLE ${names.join(', ')} IN ACCESS SHARE MODE`]),
  ].join('; ');
  const results = await Promise.allSettled(
    connections.map((connection) => connection.query('locking the tables to be read', statements, [], signal)),
  );
  signal.throwIfAborted();
  const failures = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as Error] : []));
  const stateOf = (error: Error) => codeOf(error.cause);
  const gone = failures.find((error) => stateOf(error) === UNDEFINED_TABLE);
  if (gone !== undefined) throw goneError(gone);
  const other = failures.find((error) => stateOf(error) !== LOCK_NOT_AVAILABLE);
  if (other !== undefined) throw other;
  return failures.length === 0 ? null : describeLock(sql, names, signal);
}

async function describeLock(sql: SqlQueries, names: readonly string[], signal: AbortSignal): Promise<string> {
  type LockRow = { table: string; pid: number | null; seconds: number | null };
  const [row] = await sql.query<LockRow>('looking for locks', LOCKED_BY, [names], signal);
  if (row === undefined) return 'a table to be read was locked';
  const age = row.seconds === null ? '' : `, whose transaction is open for ${row.seconds} s`;
  return `the table ${row.table} is locked by the process ${row.pid}${age}`;
}

interface TakenSnapshot {
  readonly snapshot: MvccSnapshot;
  readonly exported: string | null;
  readonly high: Lsn;
  readonly timeUs: number;
}

async function takeSnapshot(
  leader: ReaderConnection,
  shared: boolean,
  server: ServerFacts,
  signal: AbortSignal,
): Promise<TakenSnapshot> {
  const [row] = await leader.query<FirstRow & Record<string, unknown>>('taking a snapshot', FIRST, [shared], signal);
  const { snapshot, exported, high, time_us: timeUs, is_standby: isStandby } = row!;
  const lsn = parseLsn(high);
  if (isStandby !== server.isStandby || lsn === null) {
    throw new TransientError('The standby was promoted while a snapshot was read from it.', {
      code: 'POSTGRES_PROMOTED',
      remedy: 'The source is started again, and the snapshot goes on.',
    });
  }
  return { snapshot: parseMvccSnapshot(snapshot), exported, high: lsn, timeUs };
}

function requireSame(wanted: SnapshotTable, found: ViewTable | undefined): void {
  const name = qualifiedName(wanted.id);
  if (found === undefined) throw goneError(undefined, name);
  const key = found.key?.columns.map((column) => column.name) ?? null;
  if (JSON.stringify(key) === JSON.stringify(wanted.key)) return;
  throw new TransientError(`The key of ${name} is another than when its snapshot began.`, {
    code: 'POSTGRES_SNAPSHOT_TABLE_CHANGED',
    remedy: 'The source is started again, and looks at the table anew.',
    table: name,
  });
}

function goneError(cause: unknown, table?: string): TransientError {
  return new TransientError(`${table ?? 'A table'} that was to be read is not there any more.`, {
    code: 'POSTGRES_SNAPSHOT_TABLE_GONE',
    remedy: 'The source is started again, and reads the tables that there are.',
    ...(table === undefined ? {} : { table }),
    cause,
  });
}
