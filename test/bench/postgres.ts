import { awaitUntil } from '../support/await-until.ts';
import { createPostgresDatabase, type PostgresDatabase } from '../support/postgres-database.ts';
import { uniqueName } from '../support/unique-name.ts';
import { debeziumDrain } from './debezium.ts';
import { drain } from './drain.ts';
import { load, TABLE_SQL } from './postgres-rows.ts';
import { recvlogical } from './recvlogical.ts';
import type { Figure } from './report.ts';
import { CHANGES_PER_TRANSACTION, runTpcb, TPCB_SQL } from './tpcb-rows.ts';

export interface PostgresBenchOptions {
  readonly rows: number;
  /** `main.js` of the compiled package. */
  readonly main: string;
  /** Whether Debezium drains the backlog of small transactions, too. */
  readonly debezium: boolean;
}

/** What waits in the log. */
interface Backlog {
  readonly label: string;
  /** Makes the tables. */
  readonly sql: string;
  /** Writes so many changes. */
  readonly write: (database: PostgresDatabase, changes: number) => Promise<void>;
}

const SMALL = inTransactionsOf(1_000);
const TPCB: Backlog = {
  label: 'pgbench TPC-B',
  sql: TPCB_SQL,
  write: (database, changes) => runTpcb(database, changes / CHANGES_PER_TRANSACTION),
};

/** Drains of the same backlogs: nothing but receiving, and the daemon to Kafka without and with compression. */
export async function benchPostgres({ rows, main, debezium }: PostgresBenchOptions): Promise<Figure[]> {
  // Thrown away: the JVM of a new broker has yet to compile what it does, at the cost of the first run.
  await drainBacklog(rows, SMALL, 'none', main);
  const figures: Figure[] = [];
  for (const backlog of [SMALL, inTransactionsOf(1), inTransactionsOf(rows, 'one transaction'), TPCB]) {
    figures.push(await ceiling(rows, backlog));
    for (const compression of ['none', 'zstd']) figures.push(await drainBacklog(rows, backlog, compression, main));
    if (debezium && backlog === SMALL) figures.push(await drainWithDebezium(rows, backlog));
  }
  return figures;
}

function inTransactionsOf(rowsEach: number, label = `${rowsEach}-row transactions`): Backlog {
  return { label, sql: TABLE_SQL, write: (database, changes) => load(database, changes, rowsEach) };
}

async function drainBacklog(rows: number, backlog: Backlog, compression: string, main: string): Promise<Figure> {
  await using database = await createPostgresDatabase({ prefix: 'bench', sql: backlog.sql });
  const name = uniqueName('bench');
  return await drain({
    what: `tailrace, ${backlog.label}, ${compression}`,
    name,
    source: { name, type: 'postgres', url: database.url, snapshot: { mode: 'no_data' } },
    rows,
    compression,
    main,
    load: () => backlog.write(database, rows),
  });
}

async function drainWithDebezium(rows: number, { label, sql, write }: Backlog): Promise<Figure> {
  await using database = await createPostgresDatabase({ prefix: 'bench', sql });
  const backlog = { rows, label, load: () => write(database, rows) };
  return await debeziumDrain('postgres', { schema: 'public', url: database.url }, backlog);
}

/** What the server gives to a reader that keeps nothing. */
async function ceiling(rows: number, { label, sql, write }: Backlog): Promise<Figure> {
  await using database = await createPostgresDatabase({ prefix: 'bench', sql });
  await database.query('CREATE PUBLICATION bench FOR ALL TABLES');
  const slot = uniqueName('bench');
  await database.query('SELECT pg_create_logical_replication_slot($1, $2)', [slot, 'pgoutput']);
  await write(database, rows);
  const end = await currentLsn(database);
  const { seconds, cpuSeconds: cpu } = await recvlogical(database.url, slot, 'bench', end);
  return { what: `pg_recvlogical to nothing, ${label}`, rows, seconds, cpuMicrosPerRow: (cpu / rows) * 1e6 };
}

async function currentLsn(database: PostgresDatabase): Promise<string> {
  const [row] = await database.query<{ lsn: string }>('SELECT pg_current_wal_insert_lsn()::text AS lsn');
  // pg_recvlogical ends at the first message beyond the end: give it one.
  await database.query("SELECT pg_logical_emit_message(false, 'bench', 'end')");
  await awaitUntil('the end of the backlog was flushed', async () => {
    const [flushed] = await database.query<{ done: boolean }>(
      'SELECT pg_current_wal_flush_lsn() >= $1::pg_lsn AS done',
      [row!.lsn],
    );
    return flushed!.done;
  });
  return row!.lsn;
}
