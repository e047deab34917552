import type pg from 'pg';
import type { Service } from '../../deploy/local/service.ts';
import { type Stack, startStack } from '../../deploy/local/stack.ts';
import { awaitUntil } from './await-until.ts';
import { runOnPostgres } from './run-on-postgres.ts';
import { postgresVersion } from './services.ts';

const DEFAULT_VERSION = 17;
const SHUTDOWN_MS = 60_000;

/** A Postgres server that a test may stop, kill and set up as it likes. */
export class OwnPostgres implements AsyncDisposable {
  readonly url: string;
  readonly version: number;
  readonly #stack: Stack;
  readonly #service: Service;

  private constructor(stack: Stack, version: number) {
    this.version = version;
    this.url = stack.urls.postgres[version]!;
    this.#stack = stack;
    this.#service = stack.services.get(`postgres-${version}`)!;
  }

  /** @param settings lines of `postgresql.conf`, in force from the start */
  static async start(settings: Readonly<Record<string, string>> = {}): Promise<OwnPostgres> {
    const version = postgresVersion() ?? DEFAULT_VERSION;
    const stack = await startStack({ postgres: [version], ownServices: true, report: () => undefined });
    const server = new OwnPostgres(stack, version);
    try {
      for (const [name, value] of Object.entries(settings)) {
        await server.run(`ALTER SYSTEM SET ${name} = '${value}'`);
      }
      if (Object.keys(settings).length > 0) await server.restart('fast');
      return server;
    } catch (error) {
      await stack.stop();
      throw error;
    }
  }

  /** What creates databases in this process (`createPostgresDatabase`) does so on this server from now on. */
  becomeTheServerOfThisTest(): this {
    process.env.TEST_POSTGRES_URL = this.url;
    process.env[`TEST_POSTGRES_${this.version}_URL`] = this.url;
    return this;
  }

  get isRunning(): boolean {
    return this.#service.processes().some((running) => running.isRunning());
  }

  run<R extends pg.QueryResultRow = pg.QueryResultRow>(sql: string, values: unknown[] = []): Promise<R[]> {
    return runOnPostgres<R>(this.url, sql, values);
  }

  /**
   * `fast` ends clients and then waits until the walsenders have sent all there is and their readers have confirmed it;
   * `immediate` is a crash: https://www.postgresql.org/docs/current/server-shutdown.html
   * @returns how long it took, in ms.
   */
  async shutDown(how: 'fast' | 'immediate', timeoutMs = SHUTDOWN_MS): Promise<number> {
    const startedAtMs = performance.now();
    const processes = this.#service.processes();
    for (const running of processes) running.signal(how === 'fast' ? 'SIGINT' : 'SIGQUIT');
    await awaitUntil(`the server had ended its ${how} shutdown`, () => !this.isRunning, { timeoutMs });
    return performance.now() - startedAtMs;
  }

  start(): Promise<void> {
    return this.#service.start();
  }

  async restart(how: 'fast' | 'immediate'): Promise<void> {
    await this.shutDown(how);
    await this.start();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stack.stop();
  }
}
