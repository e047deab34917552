import { cpus, totalmem } from 'node:os';

/** One measured run. */
export interface Figure {
  readonly what: string;
  readonly rows: number;
  readonly seconds: number;
  /** CPU time of the process with its threads, microseconds a row. */
  readonly cpuMicrosPerRow: number;
  readonly peakRssMiB?: number;
  /** From the start of the process to an open stream. */
  readonly readyMs?: number;
}

export function renderFigures(figures: readonly Figure[]): string {
  const lines = ['| run | rows/s | CPU µs/row | peak RSS MiB | ready ms |', '|---|---|---|---|---|'];
  for (const figure of figures) {
    const rate = Math.round(figure.rows / figure.seconds).toLocaleString('en');
    const peak = figure.peakRssMiB === undefined ? '–' : figure.peakRssMiB.toFixed(0);
    const ready = figure.readyMs === undefined ? '–' : figure.readyMs.toFixed(0);
    lines.push(`| ${figure.what} | ${rate} | ${figure.cpuMicrosPerRow.toFixed(2)} | ${peak} | ${ready} |`);
  }
  return lines.join('\n');
}

export function machine(): string {
  const [cpu] = cpus();
  return `${cpus().length} × ${cpu?.model ?? 'unknown'}, ${(totalmem() / 2 ** 30).toFixed(0)} GiB, Node ${process.version}`;
}
