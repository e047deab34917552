import { cpus, totalmem } from 'node:os';
import type { Lag } from './lag.ts';

/** One measured run. */
export interface Figure {
  readonly what: string;
  readonly rows: number;
  readonly seconds: number;
  /** CPU time of the process with its threads, microseconds a row. */
  readonly cpuMicrosPerRow?: number;
  readonly peakRssMiB?: number;
  /** From the start of the process to an open stream. */
  readonly readyMs?: number;
  /** On the source, meanwhile. */
  readonly longestTransactionMs?: number;
  /** Of the stream, meanwhile. */
  readonly lag?: Lag;
}

interface Column {
  readonly title: string;
  readonly cell: (figure: Figure) => string | undefined;
}

const COLUMNS: readonly Column[] = [
  { title: 'run', cell: ({ what }) => what },
  { title: 'rows/s', cell: ({ rows, seconds }) => Math.round(rows / seconds).toLocaleString('en') },
  { title: 'CPU µs/row', cell: ({ cpuMicrosPerRow }) => cpuMicrosPerRow?.toFixed(2) },
  { title: 'peak RSS MiB', cell: ({ peakRssMiB }) => peakRssMiB?.toFixed(0) },
  { title: 'ready ms', cell: ({ readyMs }) => readyMs?.toFixed(0) },
  { title: 'longest transaction ms', cell: ({ longestTransactionMs }) => longestTransactionMs?.toFixed(0) },
  {
    title: 'lag p50 / p95 / p99 / max ms',
    cell: ({ lag }) => lag && [lag.p50, lag.p95, lag.p99, lag.max].map((ms) => ms.toFixed(1)).join(' / '),
  },
];

/** A table in Markdown; columns that no figure has are left out. */
export function renderFigures(figures: readonly Figure[]): string {
  const columns = COLUMNS.filter(({ cell }) => figures.some((figure) => cell(figure) !== undefined));
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const rows = figures.map((figure) => line(columns.map(({ cell }) => cell(figure) ?? '–')));
  return [line(columns.map(({ title }) => title)), `|${columns.map(() => '---|').join('')}`, ...rows].join('\n');
}

export function machine(): string {
  const [cpu] = cpus();
  return `${cpus().length} × ${cpu?.model ?? 'unknown'}, ${(totalmem() / 2 ** 30).toFixed(0)} GiB, Node ${process.version}`;
}
