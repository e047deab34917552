import type { SnapshotTable, ViewRefusal } from '../../../src/core/snapshot.ts';
import type { SqlConnection } from '../connection.ts';
import type { MySqlPosition } from '../positions.ts';
import { GtidSet } from '../protocol/gtid-set.ts';
import { readHead, readHeadPlace, type ServerFacts } from '../server-facts.ts';
import type { ReaderConnection } from './reader-connection.ts';
import { compareSpots, GtidBounds, type LogSpot, PlaceBounds, type ViewBounds } from './view-bounds.ts';

/** Views that were opened, on every connection, and what is visible in them. */
export interface OpenedViews {
  readonly bounds: ViewBounds;
  /** For the source blocks of rows. */
  readonly at: LogSpot;
  /** Whether nothing is visible but what `bounds` says is, for sure. */
  readonly isExact: boolean;
}

export interface OpeningViews {
  readonly sql: SqlConnection;
  readonly server: ServerFacts;
  readonly connections: readonly ReaderConnection[];
  readonly emittedUpTo: MySqlPosition | null;
  /** Whether a table among those that are read needs it. */
  readonly mustBeExact: boolean;
}

/** How often a view is asked for its place, at most. */
const PLACE_ATTEMPTS = 20;
const TIMES_TOLD = 3;

export type OpenViews = (opening: OpeningViews, signal: AbortSignal) => Promise<OpenedViews | ViewRefusal>;

/**
 * MySQL with GTIDs. A transaction is among those that were executed a moment after it becomes visible: what was executed
 * before the views were opened is visible in all of them. Until that moment its GTID is owned by its connection: what is
 * visible was executed by the time after, or is owned then.
 */
export const openByGtid: OpenViews = async ({ sql, server, connections, emittedUpTo }, signal) => {
  const before = await readHead(sql, server, signal);
  const certain = GtidSet.parse(before.gtids ?? '');
  const emitted = emittedUpTo?.gtids?.asSet() ?? null;
  if (emitted !== null && !certain.contains(emitted)) {
    return { refusal: 'transactions that were published are not visible on the server yet' };
  }
  await startViews(connections, signal);
  const possible = await readPossible(sql, signal);
  return {
    bounds: new GtidBounds(certain, possible),
    at: { file: before.file, position: before.position },
    isExact: certain.contains(possible),
  };
};

/** What is in the log or comes into it, of what is visible now. First what is owned: from there a GTID goes to the executed. */
async function readPossible(sql: SqlConnection, signal: AbortSignal): Promise<GtidSet> {
  const doing = 'reading what the server executed';
  const [open] = await sql.query<{ owned: string }>(doing, 'SELECT @@global.gtid_owned AS owned', [], signal);
  const statement = 'SELECT @@global.gtid_executed AS executed, @@global.gtid_purged AS purged';
  const [row] = await sql.query<{ executed: string; purged: string }>(doing, statement, [], signal);
  // `uuid:5#31:6#32`: each with the connection that owns it.
  const owned = GtidSet.parse((open?.owned ?? '').replaceAll(/#\d+/g, ''));
  // What is not in the log is not waited for.
  return GtidSet.parse(row?.executed ?? '')
    .union(owned)
    .subtract(GtidSet.parse(row?.purged ?? ''));
}

/**
 * MariaDB. What was committed before the views were opened is visible in all of them, and what is visible lies before the end
 * of the log after that. Where exactly between a view stands its own connection can ask for, but not trust: see
 * `readPlace`. It is asked only where a table has no key to tell its rows by.
 */
export const openByPlace: OpenViews = async (opening, signal) => {
  const { sql, server, connections, emittedUpTo } = opening;
  const epoch = emittedUpTo?.epoch ?? 0;
  const certain = await readCommittedPlace(sql, server, signal);
  if (certain === null) return { refusal: 'the server does not say where in its binlog the last commit is' };
  const refusal = refusalBehind(certain, emittedUpTo);
  if (refusal !== null) return refusal;
  await startViews(connections, signal);
  const place = opening.mustBeExact ? await readCommonPlace(connections, signal) : null;
  const possible = await readHeadPlace(sql, server, signal);
  if (place !== null && compareSpots(certain, place) <= 0 && compareSpots(place, possible) <= 0) {
    return { bounds: new PlaceBounds(epoch, place, place), at: place, isExact: true };
  }
  const isExact = compareSpots(certain, possible) === 0;
  return { bounds: new PlaceBounds(epoch, certain, possible), at: certain, isExact };
};

/** A lock that InnoDB grants as soon as a transaction is visible, and not only when it is among the executed, too. */
const LOCKS_ROWS_ONLY = /^5\.6\b/;

/** Only what must be exact is locked, where nothing else has to be. */
export function tablesToLock(tables: readonly SnapshotTable[], server: ServerFacts): readonly SnapshotTable[] {
  const isAll = openWithoutLock(server) === null || LOCKS_ROWS_ONLY.test(server.version);
  return isAll ? tables : tables.filter(({ key }) => key === null);
}

/** Everything that changed the locked tables is visible, and nothing changes them while the place is read. */
export const openUnderLock: OpenViews = async (opening, signal) => {
  const { sql, server, connections, emittedUpTo } = opening;
  const open = openWithoutLock(server);
  if (open !== null && !LOCKS_ROWS_ONLY.test(server.version)) {
    const opened = await open(opening, signal);
    return 'refusal' in opened ? opened : { ...opened, isExact: true };
  }
  const head = await readHeadPlace(sql, server, signal);
  const refusal = refusalBehind(head, emittedUpTo);
  if (refusal !== null) return refusal;
  await startViews(connections, signal);
  return { bounds: new PlaceBounds(emittedUpTo?.epoch ?? 0, head, head), at: head, isExact: true };
};

function refusalBehind(view: LogSpot, emitted: MySqlPosition | null): ViewRefusal | null {
  if (emitted === null) return null;
  if (emitted.file === '') return { refusal: 'the stream was not told yet where in the binlog of this server it is' };
  if (compareSpots({ file: emitted.file, position: emitted.pos }, view) <= 0) return null;
  return { refusal: 'transactions that were published are not visible on the server yet' };
}

async function startViews(connections: readonly ReaderConnection[], signal: AbortSignal): Promise<void> {
  const statement = 'START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY';
  await Promise.all(connections.map((connection) => connection.query('opening a view', statement, signal)));
}

/**
 * Of a connection with a view its place, of any other that of the last commit. The server puts them into variables that all
 * connections share before it prints them: another one that asks at the same moment (a monitor, a backup) puts its own there,
 * which is the place of an older view or of the last commit by then.
 */
const PLACE_STATEMENT = "SHOW STATUS LIKE 'binlog_snapshot_%'";

/**
 * A place before which everything is committed: that of the last commit, or that of another's view, which is older. Null
 * where file and position came from two others, again and again.
 */
async function readCommittedPlace(
  sql: SqlConnection,
  server: ServerFacts,
  signal: AbortSignal,
): Promise<LogSpot | null> {
  for (let attempt = 0; attempt < PLACE_ATTEMPTS; attempt++) {
    const doing = 'reading where the last commit is';
    const rows = await sql.query<{ Variable_name: string; Value: string }>(doing, PLACE_STATEMENT, [], signal);
    const place = placeOf(rows.map(({ Variable_name, Value }) => [Variable_name, Value]));
    if (compareSpots(place, await readHeadPlace(sql, server, signal)) <= 0) return place;
  }
  return null;
}

/** Where all of these views stand; null where not at one place. */
async function readCommonPlace(connections: readonly ReaderConnection[], signal: AbortSignal): Promise<LogSpot | null> {
  let common: LogSpot | null = null;
  // One by one: they would get in each other's way.
  for (const connection of connections) {
    const place = await readPlace(connection, signal);
    if (place === null || (common !== null && compareSpots(common, place) !== 0)) return null;
    common = place;
  }
  return common;
}

/** The place of a view never changes, others' do: it is believed when it was told several times in a row. */
async function readPlace(connection: ReaderConnection, signal: AbortSignal): Promise<LogSpot | null> {
  let last: LogSpot | null = null;
  for (let attempt = 0, same = 0; attempt < PLACE_ATTEMPTS; attempt++) {
    const place = placeOf(await connection.query('reading where a view stands', PLACE_STATEMENT, signal));
    same = last !== null && compareSpots(last, place) === 0 ? same + 1 : 1;
    if (same === TIMES_TOLD) return place;
    last = place;
  }
  return null;
}

function placeOf(rows: readonly (readonly (string | null)[])[]): LogSpot {
  const values = new Map(rows.map(([name, value]) => [String(name).toLowerCase(), value ?? '']));
  return {
    file: values.get('binlog_snapshot_file') ?? '',
    position: Number(values.get('binlog_snapshot_position') ?? 0),
  };
}

/**
 * How this server tells what is visible; null where it does not: under ON_PERMISSIVE some transactions have no GTID, and
 * without binlog_optimize_thread_scheduling the last commit is told before it is visible.
 */
export function openWithoutLock({ dialect, variables }: ServerFacts): OpenViews | null {
  if (dialect === 'mariadb') {
    const tellsInTime = (variables.get('binlog_optimize_thread_scheduling') ?? 'ON') === 'ON';
    return tellsInTime ? openByPlace : null;
  }
  return variables.get('gtid_mode') === 'ON' ? openByGtid : null;
}
