import { readFileSync } from 'node:fs';
import { type DebeziumDatabase, startDebezium } from '../../deploy/local/debezium.ts';
import { identifyProcess } from '../../deploy/local/process-identity.ts';
import { reportToStderr } from '../../deploy/local/report.ts';
import { createRunDirectory } from '../../deploy/local/run-directory.ts';
import type { Service } from '../../deploy/local/service.ts';
import { endStack } from '../../deploy/local/stack.ts';
import { awaitUntil } from './await-until.ts';
import { kafkaBrokers, registryUrl } from './services.ts';

export type ConnectorSettings = Readonly<Record<string, string>>;

/** Debezium in a Kafka Connect of its own, with one connector. */
export class Debezium implements AsyncDisposable {
  readonly #service: Service;
  readonly #directory: string;

  private constructor(service: Service, directory: string) {
    this.#service = service;
    this.#directory = directory;
  }

  static async start(database: DebeziumDatabase, converter: 'avro' | 'json'): Promise<Debezium> {
    const runDirectory = createRunDirectory(identifyProcess(process.pid));
    const { signal } = new AbortController();
    const context = { runDirectory, endsWithParent: true, report: reportToStderr, signal };
    try {
      const options = { brokers: kafkaBrokers(), converter, registry: registryUrl() };
      return new Debezium(await startDebezium(database, options, context), runDirectory);
    } catch (error) {
      await endStack(runDirectory);
      throw error;
    }
  }

  get pid(): number {
    return this.#service.processes()[0]!.identity.pid;
  }

  /** Everything that the worker has logged. */
  get log(): string {
    return readFileSync(this.#service.processes()[0]!.logFile, 'utf8');
  }

  /** Creates the connector and waits until its task runs. */
  async connect(name: string, settings: ConnectorSettings): Promise<void> {
    await this.#ask('PUT', `/connectors/${name}/config`, settings);
    await this.runs(name);
  }

  async runs(name: string): Promise<void> {
    await this.until(`the connector ${name} runs`, async () => {
      const { tasks } = (await this.#ask('GET', `/connectors/${name}/status`)) as {
        tasks: { state: string; trace?: string }[];
      };
      return tasks.length > 0 && tasks.every(({ state }) => state === 'RUNNING');
    });
  }

  /** SIGKILL, and the worker starts again; the connector has to be told to it anew. */
  async restart(): Promise<void> {
    for (const running of this.#service.processes()) running.signal('SIGKILL');
    await this.#service.stop();
    await this.#service.start();
  }

  /** Its task ends, its offsets stay. */
  async stop(name: string): Promise<void> {
    await this.#ask('PUT', `/connectors/${name}/stop`);
    await this.until(`the connector ${name} has stopped`, async () => {
      const { tasks } = (await this.#ask('GET', `/connectors/${name}/status`)) as { tasks: unknown[] };
      return tasks.length === 0;
    });
  }

  async resume(name: string): Promise<void> {
    await this.#ask('PUT', `/connectors/${name}/resume`);
  }

  async said(words: RegExp, timeoutMs = 120_000): Promise<void> {
    await this.until(`Debezium said ${words}`, () => words.test(this.log), timeoutMs);
  }

  /** As `awaitUntil`, with the end of the log when it fails. */
  async until(what: string, condition: () => boolean | Promise<boolean>, timeoutMs = 120_000): Promise<void> {
    try {
      await awaitUntil(what, condition, { timeoutMs, intervalMs: 500 });
    } catch (error) {
      throw new Error(`${String(error)}; the end of its log:\n${this.log.slice(-4_000)}`, { cause: error });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#service.stop();
    await endStack(this.#directory);
  }

  async #ask(method: string, path: string, body?: unknown): Promise<unknown> {
    const response = await fetch(this.#service.url + path, {
      method,
      signal: AbortSignal.timeout(90_000),
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`Kafka Connect answered ${response.status} to ${method} ${path}: ${text}`);
    return text === '' ? null : JSON.parse(text);
  }
}
