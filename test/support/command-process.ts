import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { awaitUntil } from './await-until.ts';

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

/** A command of the command line as a process of its own, killed at the end of the test. */
export class CommandProcess implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #exit: Promise<number | NodeJS.Signals>;
  stdout = '';
  stderr = '';

  constructor(args: readonly string[], environment: Readonly<Record<string, string>> = {}) {
    const child = spawn(process.execPath, [MAIN, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...environment },
    });
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    this.#child = child;
    // `close`, not `exit`: the output is complete.
    this.#exit = new Promise((resolve) => child.on('close', (code, signal) => resolve(code ?? signal ?? 1)));
  }

  /** Complete lines of standard output. */
  get lines(): string[] {
    return this.stdout.split('\n').slice(0, -1);
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Stops reading standard output: the next write of the process fails. */
  closeStdout(): void {
    this.#child.stdout?.destroy();
  }

  /** Waits for words on standard error. */
  async said(words: string, timeoutMs = 90_000): Promise<this> {
    await awaitUntil(`the command said "${words}"`, () => this.stderr.includes(words), { timeoutMs });
    return this;
  }

  /** Waits until standard output has at least `count` lines. */
  async printed(count: number, timeoutMs = 90_000): Promise<string[]> {
    await awaitUntil(`the command printed ${count} lines`, () => this.lines.length >= count, { timeoutMs });
    return this.lines;
  }

  /** Resolves with the exit code, or the signal that ended it, when the process has ended by itself. */
  async ended(timeoutMs = 60_000): Promise<number | NodeJS.Signals> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`the command did not end; it said: ${this.stderr}`)), timeoutMs);
    });
    try {
      return await Promise.race([this.#exit, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exit;
  }
}

/** What a command came to that ends by itself. */
export interface CommandResult {
  readonly code: number | NodeJS.Signals;
  readonly out: string;
  readonly err: string;
}

export async function runCommand(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<CommandResult> {
  await using command = new CommandProcess(args, environment);
  const code = await command.ended();
  return { code, out: command.stdout, err: command.stderr };
}
