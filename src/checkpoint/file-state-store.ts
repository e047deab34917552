import { createHash } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { FatalError, OwnershipLostError } from '../core/errors.ts';
import { OneAtATime } from '../core/one-at-a-time.ts';
import type { SourceState, StateStore } from '../core/source-state.ts';
import { fileError } from './file-error.ts';
import { FileLock } from './file-lock.ts';
import { decodeStateDocument, StateDocumentEncoder } from './state-document.ts';

/** Longest escaped source name in a file name; file systems allow 255 bytes with what we append. */
const MAX_STEM_BYTES = 180;

/**
 * One readable JSON file per source in a directory: `<source>.json`, its lock `<source>.lock`, and while a save is under
 * way `<source>.json.tmp`. A save is write, fsync, rename, fsync of the directory: a crash leaves the old or the new file.
 */
export class FileStateStore implements StateStore {
  readonly #directory: string;
  readonly #open = new Set<FileSourceState>();

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** @throws OwnershipLostError while a live process, also this one, has the source open. */
  open(source: string, signal: AbortSignal): Promise<SourceState> {
    return this.#claim(source, signal, async (path) => (await readEntries(path, source)) ?? new Map());
  }

  /** Every save writes the whole of it, so nothing has to be known of what there was. */
  openToReplace(source: string, signal: AbortSignal): Promise<SourceState> {
    return this.#claim(source, signal, async () => new Map());
  }

  async #claim(
    source: string,
    signal: AbortSignal,
    read: (path: string) => Promise<ReadonlyMap<string, string>>,
  ): Promise<SourceState> {
    signal.throwIfAborted();
    const stem = join(this.#directory, fileStem(source));
    try {
      await mkdir(this.#directory, { recursive: true });
    } catch (error) {
      throw fileError(error, `Creating ${this.#directory}`, source);
    }
    const lock = await FileLock.take(`${stem}.lock`, source);
    try {
      signal.throwIfAborted();
      // What a crash left of a save: the file itself is the state before that save, which was never reported as done.
      await rm(`${stem}.json.tmp`, { force: true });
      const entries = await read(`${stem}.json`);
      const state = new FileSourceState(source, `${stem}.json`, lock, entries, () => this.#open.delete(state));
      this.#open.add(state);
      return state;
    } catch (error) {
      await lock[Symbol.asyncDispose]();
      throw fileError(error, `Opening ${stem}.json`, source);
    }
  }

  async peek(source: string, signal: AbortSignal): Promise<ReadonlyMap<string, string> | null> {
    signal.throwIfAborted();
    return readEntries(join(this.#directory, `${fileStem(source)}.json`), source);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#open].map((state) => state[Symbol.asyncDispose]()));
  }
}

class FileSourceState implements SourceState {
  readonly #source: string;
  readonly #path: string;
  readonly #lock: FileLock;
  readonly #disposed: () => void;
  readonly #turns = new OneAtATime();
  readonly #encoder = new StateDocumentEncoder();
  #entries: ReadonlyMap<string, string>;
  #closed = false;

  constructor(
    source: string,
    path: string,
    lock: FileLock,
    entries: ReadonlyMap<string, string>,
    disposed: () => void,
  ) {
    this.#source = source;
    this.#path = path;
    this.#lock = lock;
    this.#entries = entries;
    this.#disposed = disposed;
  }

  get entries(): ReadonlyMap<string, string> {
    return this.#entries;
  }

  put(changes: ReadonlyMap<string, string | null>, signal: AbortSignal): Promise<void> {
    return this.#turns.run(async () => {
      signal.throwIfAborted();
      if (this.#closed) throw closedError(this.#source);
      if (changes.size === 0) return;
      if (!this.#lock.isHeld) throw lockGoneError(this.#source, this.#path);
      const next = new Map(this.#entries);
      for (const [key, value] of changes) {
        if (value === null) next.delete(key);
        else next.set(key, value);
      }
      // Every save writes the whole of it, so that one whose outcome is unknown is made good by the next.
      await replaceFile(this.#path, this.#encoder.encode({ source: this.#source, entries: next }), this.#source);
      this.#entries = next;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await this.#turns.idle();
    await this.#lock[Symbol.asyncDispose]();
    this.#disposed();
  }
}

async function readEntries(path: string, source: string): Promise<ReadonlyMap<string, string> | null> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw fileError(error, `Reading ${path}`, source);
  }
  const document = decodeStateDocument(text, path);
  if (document.source !== source) {
    throw new FatalError(`${path} holds the state of source ${document.source}, not of ${source}`, {
      code: 'STATE_OF_ANOTHER_SOURCE',
      remedy: 'Put the right file there; names that differ only in case need directories of their own on this system.',
      source,
    });
  }
  return document.entries;
}

async function replaceFile(path: string, content: Buffer, source: string): Promise<void> {
  const temporary = `${path}.tmp`;
  try {
    await writeDurably(temporary, content);
    await rename(temporary, path);
    await syncDirectory(join(path, '..'));
  } catch (error) {
    // Best effort: a full disk should not stay full because of us, and the next open removes it in any case.
    await rm(temporary, { force: true }).catch(() => undefined);
    throw fileError(error, `Writing ${path}`, source);
  }
}

async function writeDurably(path: string, content: Buffer): Promise<void> {
  // Positions and schemas, no secrets; still nobody else's business.
  const file = await open(path, 'w', 0o640);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Makes the rename itself durable. */
async function syncDirectory(path: string): Promise<void> {
  // Windows cannot open a directory; NTFS journals the rename.
  if (process.platform === 'win32') return;
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/** The source's name as part of a file name: what is not plain is percent-encoded, and long names end in their hash. */
function fileStem(source: string): string {
  const plain = source.replace(/[^A-Za-z0-9_-]/gu, (character) =>
    [...Buffer.from(character)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
  );
  if (plain.length <= MAX_STEM_BYTES) return plain;
  return `${plain.slice(0, MAX_STEM_BYTES - 64)}${createHash('sha256').update(source).digest('hex')}`;
}

function closedError(source: string): FatalError {
  return new FatalError(`The state of source ${source} was saved after it had been closed`, {
    code: 'STATE_CLOSED',
    remedy: 'This is a fault of tailrace: please report it with the log of this process.',
    source,
  });
}

function lockGoneError(source: string, path: string): OwnershipLostError {
  return new OwnershipLostError(`The lock of ${path} was deleted or replaced while source ${source} was running`, {
    code: 'STATE_LOCK_GONE',
    remedy: 'Never delete .lock files: restart this source once no other process uses the directory.',
    source,
  });
}
