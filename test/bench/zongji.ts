import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { MysqlDatabase } from '../support/mysql-database.ts';
import { endedChildrenCpuSeconds } from './process-usage.ts';
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
  const before = endedChildrenCpuSeconds();
  const startedAt = performance.now();
  const program = fileURLToPath(new URL('zongji-reader.ts', import.meta.url));
  const args = [program, database.url, database.name, 'rows', start.file, String(start.position), String(rows)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let out = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  if (code !== 0) throw new Error(`the reader with zongji ended with exit code ${code}`);
  const seconds = (performance.now() - startedAt) / 1000;
  const cpu = endedChildrenCpuSeconds() - before;
  return {
    what: `zongji to nothing, ${label}`,
    rows,
    seconds,
    cpuMicrosPerRow: (cpu / rows) * 1e6,
    peakRssMiB: Number(out) / 1024,
  };
}
