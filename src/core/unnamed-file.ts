import { accessSync, closeSync, constants, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FatalError, TransientError } from './errors.ts';

/** What an operator is told where there is no room: the code of the error, and what waits in the file. */
export interface SpillAdvice {
  readonly code: string;
  readonly remedy: string;
}

/**
 * A temporary file that only this descriptor knows: it ends with the process, however that ends. For what must be kept
 * and may be larger than memory should be. What was written lies in the page cache, so reads and writes are synchronous.
 */
export class UnnamedFile {
  readonly #descriptor: number;
  readonly #advice: SpillAdvice;
  #length = 0;
  #isOpen = true;

  /** @throws FatalError where the temporary directory cannot be written */
  constructor(advice: SpillAdvice) {
    this.#advice = advice;
    this.#descriptor = open(advice);
  }

  /** Bytes written. */
  get length(): number {
    return this.#length;
  }

  /** @throws TransientError where there is no room */
  append(bytes: Buffer, start: number, end: number): void {
    for (let at = start; at < end; ) {
      const written = this.#write(bytes, at, end - at);
      at += written;
      this.#length += written;
    }
  }

  /** Fills `into[offset, offset + length)` from the file's `position`. */
  read(into: Buffer, offset: number, length: number, position: number): void {
    for (let done = 0; done < length; ) {
      const read = readSync(this.#descriptor, into, offset + done, length - done, position + done);
      if (read === 0) throw new Error('a temporary file ends too early');
      done += read;
    }
  }

  /** May be called again. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    closeSync(this.#descriptor);
  }

  #write(bytes: Buffer, at: number, length: number): number {
    try {
      return writeSync(this.#descriptor, bytes, at, length, this.#length);
    } catch (cause) {
      throw new TransientError(`A temporary file cannot be written (${codeOf(cause)}).`, {
        ...this.#advice,
        cause,
      });
    }
  }
}

/** Whether the temporary directory may be written to. */
export function canMakeTemporaryFiles(): boolean {
  try {
    accessSync(tmpdir(), constants.W_OK | constants.X_OK);
    return true;
  } catch (error) {
    if (codeOf(error) === 'unknown error') throw error;
    return false;
  }
}

function open(advice: SpillAdvice): number {
  try {
    const directory = mkdtempSync(join(tmpdir(), 'tailrace-'));
    try {
      return openSync(join(directory, 'events'), 'w+', 0o600);
    } finally {
      rmSync(directory, { recursive: true });
    }
  } catch (cause) {
    throw new FatalError(`No temporary file can be made (${codeOf(cause)}).`, {
      ...advice,
      cause,
    });
  }
}

function codeOf(error: unknown): string {
  const { code } = error as { code?: unknown };
  return typeof code === 'string' ? code : 'unknown error';
}
