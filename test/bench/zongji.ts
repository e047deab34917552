import type { MysqlDatabase } from '../support/mysql-database.ts';
import { childReader } from './child-reader.ts';
import type { Figure } from './report.ts';

/** A place in the server's log to begin at. */
export interface LogPlace {
  readonly file: string;
  readonly position: number;
}

/** Lets `@vlasky/zongji` decode the same rows into JavaScript objects, in a process of its own, and does nothing with them. */
export async function readWithZongji(
  database: MysqlDatabase,
  rows: number,
  start: LogPlace,
  label: string,
): Promise<Figure> {
  const args = [database.url, database.name, 'rows', start.file, String(start.position), String(rows)];
  return { what: `zongji to nothing, ${label}`, rows, ...(await childReader('zongji-reader.ts', args, rows)) };
}
