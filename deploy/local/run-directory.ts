import { createHash } from 'node:crypto';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { basename, join } from 'node:path';
import { isOpenToOthers } from './open-to-others.ts';
import { isRunning, type ProcessIdentity } from './process-identity.ts';
import type { StackUrls } from './stack-urls.ts';

/**
 * Everything a stack writes is in one directory, removed with it. The directory says who started the stack (`stack.json`)
 * and which processes belong to it (`pids/`), so that whoever comes after a crash can end and remove it.
 */
export interface StackRecord {
  /** The process that stops this stack; null for one that runs on in the background. */
  readonly owner: ProcessIdentity | null;
  /** Present once every service is ready. */
  readonly urls?: StackUrls;
  /** How many processes a complete stack has. */
  readonly processCount?: number;
}

/** Where the run directories of this user are. */
export function runRoot(): string {
  const { uid } = userInfo();
  // Root's services drop root and must get in; some systems give each user a closed temporary directory.
  const parent = uid === 0 && !isOpenToOthers(tmpdir()) ? '/tmp' : tmpdir();
  const root = join(parent, `tailrace-${uid}`);
  mkdirSync(root, { recursive: true, mode: 0o711 });
  const found = lstatSync(root);
  if (!found.isDirectory() || (found.uid !== uid && process.platform !== 'win32')) {
    throw new Error(`${root} belongs to someone else: remove it, or set TMPDIR to a directory of yours`);
  }
  // Postgres runs under another uid than root and has to pass through.
  chmodSync(root, 0o711);
  return root;
}

/** The directory of the background stack of one checkout. */
export function backgroundDirectory(checkout: string): string {
  return join(runRoot(), `background-${createHash('sha256').update(checkout).digest('hex').slice(0, 12)}`);
}

/** Makes a directory that has its record from the first moment on, so that no one takes it for garbage. */
export function createRunDirectory(owner: ProcessIdentity | null, path?: string): string {
  const draft = mkdtempSync(join(runRoot(), '.new-'));
  chmodSync(draft, 0o711);
  mkdirSync(join(draft, 'pids'));
  writeRecord(draft, { owner });
  const directory = path ?? join(runRoot(), `stack-${basename(draft).slice('.new-'.length)}`);
  try {
    renameSync(draft, directory);
  } catch (error) {
    rmSync(draft, { recursive: true });
    throw new Error(`${directory} is in use by another start: wait for it`, { cause: error });
  }
  return directory;
}

export function writeRecord(directory: string, record: StackRecord): void {
  writeWhole(join(directory, 'stack.json'), record);
}

/** Null when there is no such stack. */
export function readRecord(directory: string): StackRecord | null {
  return readWhole<StackRecord>(join(directory, 'stack.json'));
}

export function recordProcess(directory: string, name: string, identity: ProcessIdentity): void {
  writeWhole(join(directory, 'pids', `${name}.json`), identity);
}

export function forgetProcess(directory: string, name: string): void {
  rmSync(join(directory, 'pids', `${name}.json`), { force: true });
}

/** The processes of a stack that still run, by name. */
export function runningProcesses(directory: string): Map<string, ProcessIdentity> {
  const running = new Map<string, ProcessIdentity>();
  for (const file of entries(join(directory, 'pids'))) {
    if (!file.endsWith('.json')) continue;
    const identity = readWhole<ProcessIdentity>(join(directory, 'pids', file));
    if (identity !== null && isRunning(identity)) running.set(file.slice(0, -'.json'.length), identity);
  }
  return running;
}

/** Directories of stacks whose owner is gone, and half-made ones of more than an hour ago. */
export function abandonedDirectories(): string[] {
  const root = runRoot();
  return entries(root)
    .map((name) => join(root, name))
    .filter((directory) => {
      if (basename(directory).startsWith('.new-')) return ageMs(directory) > 3_600_000;
      const record = readRecord(directory);
      if (record === null) return ageMs(directory) > 3_600_000;
      if (record.owner !== null) return !isRunning(record.owner);
      return runningProcesses(directory).size === 0;
    });
}

function ageMs(path: string): number {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats === undefined ? 0 : Date.now() - stats.mtimeMs;
}

function entries(directory: string): string[] {
  return absentAsNull(() => readdirSync(directory)) ?? [];
}

function readWhole<T>(path: string): T | null {
  const text = absentAsNull(() => readFileSync(path, 'utf8'));
  return text === null ? null : (JSON.parse(text) as T);
}

/** Readers see the old file or the new one, never half of it. */
function writeWhole(path: string, value: unknown): void {
  const draft = `${path}.${process.pid}.draft`;
  writeFileSync(draft, `${JSON.stringify(value, null, 2)}\n`);
  renameSync(draft, path);
}

function absentAsNull<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
