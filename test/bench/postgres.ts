import { awaitUntil } from '../support/await-until.ts';
import { createPostgresDatabase, type PostgresDatabase } from '../support/postgres-database.ts';
import { uniqueName } from '../support/unique-name.ts';
import { debeziumDrain } from './debezium.ts';
import { drain } from './drain.ts';
import { load, TABLE_SQL } from './postgres-rows.ts';
import { recvlogical } from './recvlogical.ts';
import type { Figure } from './report.ts';

export interface PostgresBenchOptions {
  readonly rows: number;
  /** `main.js` of the compiled package. */
  readonly main: string;
  /** Whether Debezium drains the backlog of small transactions, too. */
  readonly debezium: boolean;
}

/** Drains of the same backlog: nothing but receiving, and the daemon to Kafka without and with compression. */
export async function benchPostgres({ rows, main, debezium }: PostgresBenchOptions): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const rowsPerTransaction of [1_000, rows]) {
    const label = rowsPerTransaction === rows ? 'one transaction' : `${rowsPerTransaction}-row transactions`;
    figures.push(await ceiling(rows, rowsPerTransaction, label));
    for (const compression of ['none', 'zstd'])
      figures.push(await drainBacklog(rows, rowsPerTransaction, label, compression, main));
    if (debezium && rowsPerTransaction !== rows) figures.push(await drainWithDebezium(rows, rowsPerTransaction, label));
  }
  return figures;
}

async function drainBacklog(
  rows: number,
  rowsPerTransaction: number,
  label: string,
  compression: string,
  main: string,
): Promise<Figure> {
  await using database = await createPostgresDatabase({ prefix: 'bench', sql: TABLE_SQL });
  const name = uniqueName('bench');
  return await drain({
    what: `tailrace, ${label}, ${compression}`,
    name,
    source: {
      name,
      type: 'postgres',
      url: database.url,
      tables: { include: ['public\\.rows'] },
      snapshot: { mode: 'no_data' },
    },
    rows,
    compression,
    main,
    load: () => load(database, rows, rowsPerTransaction),
  });
}

async function drainWithDebezium(rows: number, rowsPerTransaction: number, label: string): Promise<Figure> {
  await using database = await createPostgresDatabase({ prefix: 'bench', sql: TABLE_SQL });
  const backlog = { rows, label, load: () => load(database, rows, rowsPerTransaction) };
  return await debeziumDrain('postgres', { schema: 'public', url: database.url }, backlog);
}

/** What the server gives to a reader that keeps nothing. */
async function ceiling(rows: number, rowsPerTransaction: number, label: string): Promise<Figure> {
  await using database = await createPostgresDatabase({ prefix: 'bench', sql: TABLE_SQL });
  await database.query('CREATE PUBLICATION bench FOR TABLE rows');
  const slot = uniqueName('bench');
  await database.query('SELECT pg_create_logical_replication_slot($1, $2)', [slot, 'pgoutput']);
  await load(database, rows, rowsPerTransaction);
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
