import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { endedChildrenCpuSeconds } from './process-usage.ts';
import type { Figure } from './report.ts';

/** Runs a program of this folder that reads `rows` rows and prints its peak memory in KiB. */
export async function childReader(
  program: string,
  args: readonly string[],
  rows: number,
): Promise<Pick<Figure, 'seconds' | 'cpuMicrosPerRow' | 'peakRssMiB'>> {
  const before = endedChildrenCpuSeconds();
  const startedAt = performance.now();
  const path = fileURLToPath(new URL(program, import.meta.url));
  const child = spawn(process.execPath, [path, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  let out = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  if (code !== 0) throw new Error(`${program} ended with exit code ${code}`);
  const seconds = (performance.now() - startedAt) / 1000;
  const cpu = endedChildrenCpuSeconds() - before;
  return { seconds, cpuMicrosPerRow: (cpu / rows) * 1e6, peakRssMiB: Number(out) / 1024 };
}
