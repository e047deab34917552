import { createMysqlDatabase, type MysqlDatabase, type MysqlServer, mysqlSource } from '../support/mysql-database.ts';
import { uniqueName } from '../support/unique-name.ts';
import { debeziumDrain } from './debezium.ts';
import { drain } from './drain.ts';
import { load, TABLE_SQL } from './mysql-rows.ts';
import type { Figure } from './report.ts';
import { type LogPlace, readWithZongji } from './zongji.ts';

export interface MysqlBenchOptions {
  readonly rows: number;
  /** `main.js` of the compiled package. */
  readonly main: string;
  /** Whether Debezium drains the backlog of 1000-row transactions, too. */
  readonly debezium: boolean;
}

interface Backlog {
  readonly label: string;
  readonly rowsPerTransaction: number;
  readonly compressed: boolean;
}

/** Drains of the same backlogs by the daemon into Kafka, and by `@vlasky/zongji` into nothing. */
export async function benchMysql(server: MysqlServer, { rows, main, debezium }: MysqlBenchOptions): Promise<Figure[]> {
  const backlogs: Backlog[] = [
    { label: '1000-row transactions', rowsPerTransaction: 1_000, compressed: false },
    { label: '1-row transactions', rowsPerTransaction: 1, compressed: false },
    { label: 'one transaction', rowsPerTransaction: rows, compressed: false },
  ];
  if (server === 'mysql') backlogs.push({ label: 'one zstd transaction', rowsPerTransaction: rows, compressed: true });
  // Thrown away: the JVM of a new broker has yet to compile what it does, at the cost of the first run.
  await drainBacklog(server, rows, backlogs[0]!, 'none', main);
  const figures: Figure[] = [];
  for (const backlog of backlogs) {
    for (const compression of ['none', 'zstd']) {
      figures.push(await drainBacklog(server, rows, backlog, compression, main));
      // It does not know the events of compressed transactions.
      if (compression === 'none' && !backlog.compressed) figures.push(await ceiling(server, rows, backlog));
    }
    if (debezium && backlog === backlogs[0]) figures.push(await drainWithDebezium(server, rows, backlog));
  }
  return figures;
}

async function drainBacklog(
  server: MysqlServer,
  rows: number,
  { label, rowsPerTransaction, compressed }: Backlog,
  compression: string,
  main: string,
): Promise<Figure> {
  await using database = await createMysqlDatabase(server, [TABLE_SQL]);
  const name = uniqueName('bench');
  return await drain({
    what: `tailrace, ${label}, ${compression}`,
    name,
    source: mysqlSource(name, database, { tables: { include: [`${database.name}\\.rows`] } }),
    rows,
    compression,
    main,
    load: () => load(database, rows, rowsPerTransaction, compressed),
  });
}

/** The same log, read by a library that keeps nothing. */
async function ceiling(server: MysqlServer, rows: number, { label, rowsPerTransaction }: Backlog): Promise<Figure> {
  await using database = await createMysqlDatabase(server, [TABLE_SQL]);
  const start = await endOfLog(database);
  await load(database, rows, rowsPerTransaction, false);
  return await readWithZongji(database, rows, start, label);
}

async function drainWithDebezium(
  server: MysqlServer,
  rows: number,
  { label, rowsPerTransaction }: Backlog,
): Promise<Figure> {
  await using database = await createMysqlDatabase(server, [TABLE_SQL]);
  const backlog = { rows, label, load: () => load(database, rows, rowsPerTransaction, false) };
  return await debeziumDrain(server, { schema: database.name, url: database.url }, backlog);
}

async function endOfLog(database: MysqlDatabase): Promise<LogPlace> {
  const statement = database.server === 'mysql' ? 'SHOW BINARY LOG STATUS' : 'SHOW MASTER STATUS';
  const [row] = await database.query<{ File: string; Position: number }>(statement);
  return { file: row!.File, position: row!.Position };
}
