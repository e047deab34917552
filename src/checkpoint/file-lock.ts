import { statSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { DatabaseSync } from 'node:sqlite';
import { OwnershipLostError } from '../core/errors.ts';
import { fileError } from './file-error.ts';

const SQLITE_BUSY = 5;

/**
 * An exclusive lock that the kernel drops with the process, however that ends.
 *
 * Node has no flock, so the lock is SQLite's: an exclusive transaction on an empty database file is an fcntl lock of the
 * operating system (LockFileEx on Windows). A file with a process id would not do: after a crash somebody has to judge
 * whether that process still lives, which is a guess once ids are reused, and wrong between two containers that share a
 * volume but not their process ids. An abstract socket is bound to a network namespace and to Linux.
 *
 * The lock file is never deleted: a waiting process could hold the deleted one while a third makes a new one.
 * The `.owner` file beside it only tells people who holds the lock; nothing is decided by it.
 */
export class FileLock implements AsyncDisposable {
  readonly #path: string;
  readonly #database: DatabaseSync;
  readonly #inode: bigint;

  private constructor(path: string, database: DatabaseSync) {
    this.#path = path;
    this.#database = database;
    this.#inode = statSync(path, { bigint: true }).ino;
  }

  /** @throws OwnershipLostError where another process, or this one, holds the lock: it names the process. */
  static async take(path: string, source: string): Promise<FileLock> {
    let database: DatabaseSync | undefined;
    try {
      // A shut-down predecessor may still be closing: no waiting here, the supervisor decides whether to try again.
      database = new DatabaseSync(path, { timeout: 0 });
      database.exec('BEGIN EXCLUSIVE');
      const lock = new FileLock(path, database);
      await writeFile(ownerPath(path), `pid ${process.pid} on ${hostname()}\n`);
      return lock;
    } catch (error) {
      database?.close();
      if (sqliteCode(error) === SQLITE_BUSY) throw await held(path, source);
      throw fileError(error, `Locking ${path}`, source);
    }
  }

  /** Whether the file that is locked is still the one that others would lock. Costs one stat. */
  get isHeld(): boolean {
    return statSync(this.#path, { bigint: true, throwIfNoEntry: false })?.ino === this.#inode;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#database.isOpen) return;
    await rm(ownerPath(this.#path), { force: true });
    this.#database.close();
  }
}

function ownerPath(path: string): string {
  return `${path}.owner`;
}

async function held(path: string, source: string): Promise<OwnershipLostError> {
  const owner = await readFile(ownerPath(path), 'utf8').then(
    (text) => text.trim(),
    () => 'a process that did not leave its id',
  );
  return new OwnershipLostError(`The state of source ${source} is in use: ${path} is locked by ${owner}`, {
    code: 'STATE_LOCKED',
    remedy: 'Stop that process first, or give this daemon a `checkpoint.path` of its own.',
    source,
  });
}

/** Primary result code: https://www.sqlite.org/rescode.html */
function sqliteCode(error: unknown): number | null {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return null;
  return error.errcode & 0xff;
}
