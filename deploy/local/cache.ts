import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { type Report, withHeartbeat } from './report.ts';

/** Where downloads are kept: `$TAILRACE_CACHE`, or `~/.cache/tailrace`. Removing it costs a download, nothing else. */
export function cacheRoot(): string {
  return process.env.TAILRACE_CACHE || join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'tailrace');
}

/**
 * Path of a cached directory, filled the first time. `fill` writes into a draft that gets its name by one rename, so that a
 * killed download leaves nothing that looks whole; two at once both fill, and the first rename wins.
 *
 * @param name directory name with the version in it: its content never changes
 * @param what is going on while it is filled, for the report
 */
export async function cached(
  name: string,
  what: string,
  report: Report,
  fill: (draft: string) => Promise<void>,
): Promise<string> {
  const directory = join(cacheRoot(), name);
  if (existsSync(directory)) return directory;
  await mkdir(cacheRoot(), { recursive: true });
  await removeOldDrafts();
  const draft = await mkdtemp(join(cacheRoot(), '.draft-'));
  try {
    report(`${what}, kept in ${cacheRoot()}`);
    const startedAt = performance.now();
    await withHeartbeat(report, what, () => fill(draft));
    await rename(draft, directory).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    });
    report(`${what} done in ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
  return directory;
}

/** Drafts of downloads that were killed; one of the last hour may still be at work. */
async function removeOldDrafts(): Promise<void> {
  for (const name of await readdir(cacheRoot())) {
    if (!name.startsWith('.draft-')) continue;
    const path = join(cacheRoot(), name);
    const stats = await stat(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return null;
      throw error;
    });
    if (stats !== null && Date.now() - stats.mtimeMs > 3_600_000) await rm(path, { recursive: true, force: true });
  }
}
