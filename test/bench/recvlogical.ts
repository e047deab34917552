import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { endedChildrenCpuSeconds } from './process-usage.ts';

/** Debian keeps the programs of each major version apart and pg_recvlogical out of the PATH. */
const DEBIAN_ROOT = '/usr/lib/postgresql';

/** Receives a slot's changes up to `endLsn` into nothing with Postgres' own client. */
export async function recvlogical(
  url: string,
  slot: string,
  publication: string,
  endLsn: string,
): Promise<{ seconds: number; cpuSeconds: number }> {
  const startedAt = performance.now();
  const before = endedChildrenCpuSeconds();
  const child = spawn(
    findProgram(),
    [
      '-d',
      url,
      '-S',
      slot,
      '--start',
      '-n',
      '-E',
      endLsn,
      '-P',
      'pgoutput',
      '-o',
      'proto_version=1',
      '-o',
      `publication_names=${publication}`,
      '-f',
      '/dev/null',
    ],
    { stdio: ['ignore', 'inherit', 'inherit'] },
  );
  const code = await new Promise<number | null>((resolve) => child.on('exit', resolve));
  if (code !== 0) throw new Error(`pg_recvlogical ended with exit code ${code}`);
  return { seconds: (performance.now() - startedAt) / 1000, cpuSeconds: endedChildrenCpuSeconds() - before };
}

/** The newest that Debian's packages installed, else whatever the PATH has. */
function findProgram(): string {
  const versions = existsSync(DEBIAN_ROOT) ? readdirSync(DEBIAN_ROOT).sort((a, b) => Number(b) - Number(a)) : [];
  const found = versions.map((version) => join(DEBIAN_ROOT, version, 'bin/pg_recvlogical')).find(existsSync);
  return found ?? 'pg_recvlogical';
}
