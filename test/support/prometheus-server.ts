import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { CHECKOUT } from '../../deploy/local/checkout.ts';
import { freePorts } from '../../deploy/local/free-ports.ts';
import { identifyProcess } from '../../deploy/local/process-identity.ts';
import { startProcess, waitUntilReady } from '../../deploy/local/processes.ts';
import type { Prometheus } from '../../deploy/local/prometheus.ts';
import { createRunDirectory } from '../../deploy/local/run-directory.ts';

export interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface AlertRule {
  readonly name: string;
  /** `unknown` before the first evaluation. */
  readonly health: 'ok' | 'err' | 'unknown';
  readonly state: 'inactive' | 'pending' | 'firing';
  readonly alerts: readonly { readonly labels: Readonly<Record<string, string>>; readonly state: string }[];
}

/** A Prometheus of a test: the configuration and the rules of deploy/prometheus, with another target and shorter intervals. */
export class PrometheusServer implements AsyncDisposable {
  readonly #url: string;
  readonly #stop: () => Promise<void>;

  private constructor(url: string, stop: () => Promise<void>) {
    this.#url = url;
    this.#stop = stop;
  }

  /** @param target `host:port` to scrape. */
  static async start({ prometheus }: Prometheus, target: string): Promise<PrometheusServer> {
    const folder = join(CHECKOUT, 'deploy', 'prometheus');
    // Whoever comes after a crash removes it.
    const runDirectory = createRunDirectory(identifyProcess(process.pid));
    const config = parse(await readFile(join(folder, 'prometheus.yaml'), 'utf8'));
    config.global = { scrape_interval: '250ms', scrape_timeout: '250ms', evaluation_interval: '1s' };
    config.rule_files = config.rule_files.map((name: string) => join(folder, name));
    config.scrape_configs[0].static_configs = [{ targets: [target] }];
    const configPath = join(runDirectory, 'prometheus.yaml');
    await writeFile(configPath, stringify(config));
    const [port] = await freePorts(1);
    const address = `127.0.0.1:${port}`;
    const [command, ...before] = prometheus;
    const running = startProcess({
      name: 'prometheus',
      command,
      args: [
        ...before,
        `--config.file=${configPath}`,
        `--storage.tsdb.path=${join(runDirectory, 'data')}`,
        `--web.listen-address=${address}`,
      ],
      runDirectory,
      endsWithParent: true,
      stopSteps: [{ signal: 'SIGTERM', waitMs: 5_000 }],
    });
    const server = new PrometheusServer(`http://${address}`, async () => {
      await running.stop();
      await rm(runDirectory, { recursive: true, force: true });
    });
    try {
      await waitUntilReady(running, () => server.#isReady(), { timeoutMs: 60_000 });
    } catch (error) {
      await server.#stop();
      throw error;
    }
    return server;
  }

  /** What an expression gives now. An expression that cannot be evaluated is an error. */
  async query(expression: string): Promise<readonly Sample[]> {
    const { result, resultType } = (await this.#ask('query', { query: expression })) as {
      resultType: string;
      result: { metric: Record<string, string>; value: [number, string] }[];
    };
    if (resultType !== 'vector') throw new Error(`${expression} gives a ${resultType}`);
    return result.map(({ metric, value }) => ({ metric, value: Number(value[1]) }));
  }

  async labelValues(label: string, series: string): Promise<readonly string[]> {
    return (await this.#ask(`label/${label}/values`, { 'match[]': series })) as string[];
  }

  async alertRules(): Promise<readonly AlertRule[]> {
    const { groups } = (await this.#ask('rules', { type: 'alert' })) as { groups: { rules: AlertRule[] }[] };
    return groups.flatMap(({ rules }) => rules);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stop();
  }

  async #isReady(): Promise<boolean> {
    try {
      const response = await fetch(`${this.#url}/-/ready`, { signal: AbortSignal.timeout(2_000) });
      await response.body?.cancel();
      return response.ok;
    } catch {
      // It does not listen yet.
      return false;
    }
  }

  /** https://prometheus.io/docs/prometheus/latest/querying/api/ */
  async #ask(path: string, parameters: Readonly<Record<string, string>>): Promise<unknown> {
    const url = `${this.#url}/api/v1/${path}?${new URLSearchParams(parameters)}`;
    const response = await fetch(url, { signal: AbortSignal.timeout(30_000) });
    const answer = (await response.json()) as { status: string; error?: string; data: unknown };
    if (answer.status !== 'success') throw new Error(`${path} ${JSON.stringify(parameters)}: ${answer.error}`);
    return answer.data;
  }
}
