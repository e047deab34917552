import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import type { SourceStatus } from '../../src/core/source-status.ts';
import { awaitUntil } from './await-until.ts';
import { kafkaBrokers, registryUrl } from './services.ts';

const SOURCE_MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

export interface DaemonOptions {
  /** The `sources` of the configuration, as written in YAML. */
  readonly sources: readonly Record<string, unknown>[];
  /** How often checkpoints are saved; `200ms` unless told, null for the product's own default. */
  readonly checkpointInterval?: string | null;
  /** Other sections; `kafka`, `schema_registry`, `checkpoint` and `http` have defaults that suit a test. */
  readonly config?: Readonly<Record<string, unknown>>;
  readonly environment?: Readonly<Record<string, string>>;
  readonly nodeArguments?: readonly string[];
  /** `main.js` of a compiled package, which is what users run; the sources with Node's type stripping when missing. */
  readonly main?: string;
}

/** The daemon as a process of its own, with a configuration file that exists while the test runs. */
export class Daemon implements AsyncDisposable {
  readonly directory: string;
  readonly configPath: string;
  readonly #options: DaemonOptions;
  #child: ChildProcess | null = null;
  #exit: Promise<number | NodeJS.Signals> | null = null;
  #output = '';
  #url: string | null = null;
  /** Where the output of this life begins. */
  #bornAt = 0;

  private constructor(directory: string, options: DaemonOptions) {
    this.directory = directory;
    this.configPath = join(directory, 'tailrace.yaml');
    this.#options = options;
  }

  /** Writes the configuration; nothing runs yet. */
  static async create(options: DaemonOptions): Promise<Daemon> {
    const daemon = new Daemon(await mkdtemp(join(tmpdir(), 'tailrace-test-')), options);
    const { checkpointInterval: interval = '200ms' } = options;
    const config = {
      kafka: { brokers: kafkaBrokers() },
      schema_registry: { url: registryUrl() },
      checkpoint: {
        store: 'file',
        path: join(daemon.directory, 'state'),
        ...(interval === null ? {} : { interval }),
      },
      http: { host: '127.0.0.1', port: 0 },
      ...options.config,
      sources: options.sources,
    };
    await writeFile(daemon.configPath, stringify(config));
    return daemon;
  }

  get pid(): number {
    const pid = this.#child?.pid;
    if (pid === undefined) throw new Error('the daemon is not running');
    return pid;
  }

  /** Everything it wrote to stdout and stderr, over all its lives. */
  get output(): string {
    return this.#output;
  }

  start(): this {
    const main = this.#options.main ?? SOURCE_MAIN;
    const child = spawn(
      process.execPath,
      [...(this.#options.nodeArguments ?? []), main, 'run', '-c', this.configPath],
      {
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { ...process.env, ...this.#options.environment },
      },
    );
    this.#child = child;
    this.#url = null;
    this.#bornAt = this.#output.length;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#output += text;
      });
    }
    this.#exit = new Promise((resolve) => child.on('exit', (code, signal) => resolve(code ?? signal ?? 1)));
    return this;
  }

  /** Waits until every source streams. */
  async streaming(timeoutMs = 90_000): Promise<this> {
    await this.until('every source streams', async () => (await this.get('/readyz')).status === 200, timeoutMs);
    return this;
  }

  async status(name: string): Promise<SourceStatus> {
    const response = await this.get(`/api/v1/sources/${encodeURIComponent(name)}`);
    return (await response.json()) as SourceStatus;
  }

  /** As `awaitUntil`, with the end of the log when it fails. */
  async until<T>(
    what: string,
    condition: () => T | Promise<T>,
    timeoutMs = 90_000,
  ): Promise<Exclude<T, false | null | undefined>> {
    try {
      return await awaitUntil(what, condition, { timeoutMs });
    } catch (error) {
      throw new Error(`${error instanceof Error ? error.message : String(error)}${this.#tail()}`, { cause: error });
    }
  }

  /** A request to the daemon's own HTTP server. */
  async get(path: string): Promise<Response> {
    return fetch(`${await this.url()}${path}`, { signal: AbortSignal.timeout(15_000) });
  }

  async url(): Promise<string> {
    this.#url ??= await this.until('the daemon said where it listens', () => this.#listening());
    return this.#url;
  }

  /** SIGTERM; resolves with the exit code (or the signal that ended it). */
  async stop(timeoutMs = 90_000): Promise<number | NodeJS.Signals> {
    return this.#end('SIGTERM', timeoutMs);
  }

  async kill(): Promise<void> {
    await this.#end('SIGKILL', 30_000);
  }

  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  /** Resolves when the process has ended by itself. */
  async ended(timeoutMs = 90_000): Promise<number | NodeJS.Signals> {
    return this.until('the daemon ended', () => this.#exit, timeoutMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child !== null) await this.kill();
    await rm(this.directory, { recursive: true, force: true });
  }

  async #end(signal: NodeJS.Signals, timeoutMs: number): Promise<number | NodeJS.Signals> {
    const exit = this.#exit;
    if (exit === null) throw new Error('the daemon was never started');
    this.#child?.kill(signal);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        this.#child?.kill('SIGKILL');
        reject(new Error(`the daemon did not end within ${timeoutMs / 1000} s of ${signal}${this.#tail()}`));
      }, timeoutMs);
    });
    try {
      return await Promise.race([exit, late]);
    } finally {
      clearTimeout(timer);
      this.#child = null;
    }
  }

  /** The newest address in the log of this life. */
  #listening(): string | null {
    const urls = [...this.#output.slice(this.#bornAt).matchAll(/"url":"(http:\/\/[^"]+)"/g)];
    return urls.at(-1)?.[1] ?? null;
  }

  #tail(): string {
    return `; the end of its log:\n${this.#output.slice(-2_000)}`;
  }
}
