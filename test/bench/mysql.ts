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
  const figures: Figure[] = [];
  for (const { label, rowsPerTransaction, compressed } of backlogs) {
    for (const compression of ['none', 'zstd']) {
      await using database = await createMysqlDatabase(server, [TABLE_SQL]);
      const start = await endOfLog(database);
      const name = uniqueName('bench');
      const source = mysqlSource(name, database, { tables: { include: [`${database.name}\\.rows`] } });
      const what = `tailrace, ${label}, ${compression}`;
      const backlog = () => load(database, rows, rowsPerTransaction, compressed);
      figures.push(await drain({ what, name, source, rows, compression, main, load: backlog }));
      // It does not know the events of compressed transactions.
      if (compression === 'none' && !compressed) figures.push(await readWithZongji(database, rows, start, label));
    }
    if (debezium && rowsPerTransaction === 1_000) figures.push(await drainWithDebezium(server, rows, label));
  }
  return figures;
}

async function drainWithDebezium(server: MysqlServer, rows: number, label: string): Promise<Figure> {
  await using database = await createMysqlDatabase(server, [TABLE_SQL]);
  const backlog = { rows, label, load: () => load(database, rows, 1_000, false) };
  return await debeziumDrain(server, { schema: database.name, url: database.url }, backlog);
}

async function endOfLog(database: MysqlDatabase): Promise<LogPlace> {
  const statement = database.server === 'mysql' ? 'SHOW BINARY LOG STATUS' : 'SHOW MASTER STATUS';
  const [row] = await database.query<{ File: string; Position: number }>(statement);
  return { file: row!.File, position: row!.Position };
}
