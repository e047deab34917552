import { rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { constants } from 'node:os';
import { externalServices } from './external-services.ts';
import { type KafkaCluster, type KafkaRequest, startKafka } from './kafka.ts';
import { startMariadb } from './mariadb.ts';
import { startMysql } from './mysql.ts';
import { startPostgres } from './postgres.ts';
import { identifyProcess, signalProcess } from './process-identity.ts';
import { endProcess } from './processes.ts';
import { startRegistry } from './registry.ts';
import { type Report, reportToStderr } from './report.ts';
import { abandonedDirectories, createRunDirectory, runningProcesses, writeRecord } from './run-directory.ts';
import type { Service, ServiceContext } from './service.ts';
import type { StackUrls } from './stack-urls.ts';

export interface StackRequest {
  /** Major versions. */
  readonly postgres?: readonly number[];
  /** Version of MySQL: `9`, `5.6`. */
  readonly mysql?: string;
  /** Version of MariaDB: `11.8`, `11.4`, `10.11`. */
  readonly mariadb?: string;
  /** Options of the MySQL or MariaDB server; they win over its usual ones. */
  readonly binlogServerOptions?: readonly string[];
  /** `true` is one broker. */
  readonly kafka?: boolean | KafkaRequest;
  readonly registry?: boolean;
  /** Always start services of our own, whatever the environment names: for tests that stop them. */
  readonly ownServices?: boolean;
  /** Run directory of a stack that runs on when this process ends; without it the stack ends with this process. */
  readonly backgroundDirectory?: string;
  /**
   * Aborting it stops the stack, also while it starts; the caller then minds SIGINT and SIGTERM. Without it these two stop
   * the stack and end the process.
   */
  readonly signal?: AbortSignal;
  readonly report?: Report;
}

export interface Stack {
  readonly urls: StackUrls;
  /** The services started here, by name: `postgres-17`, `mysql`, `mariadb`, `kafka`, `registry`. Replaced ones are not among them. */
  readonly services: ReadonlyMap<string, Service>;
  /** The Kafka that was started here, with its brokers; null where there is none. */
  readonly kafka: KafkaCluster | null;
  /** Ends every process and removes every file. Calling it again waits for the same end. */
  stop(): Promise<void>;
}

/**
 * Starts what was asked for, everything at once, and resolves when all of it is ready. A service that the environment names
 * (`external-services.ts`) is used instead of started. First ends and removes what killed runs left behind.
 */
export async function startStack(request: StackRequest): Promise<Stack> {
  const report = request.report ?? reportToStderr;
  await removeAbandonedStacks(report);
  const versions = request.postgres ?? [];
  const external: StackUrls = request.ownServices === true ? { postgres: {} } : await externalServices(versions);
  const isBackground = request.backgroundDirectory !== undefined;
  const owner = identifyProcess(process.pid);
  const runDirectory = createRunDirectory(owner, request.backgroundDirectory);
  const aborter = new AbortController();
  const context: ServiceContext = {
    runDirectory,
    endsWithParent: !isBackground,
    report,
    signal: aborter.signal,
  };

  const starting: Promise<[string, Service]>[] = [];
  const start = (name: string, service: Promise<Service>) => starting.push(service.then((ready) => [name, ready]));
  for (const version of versions) {
    if (external.postgres[version] === undefined) start(`postgres-${version}`, startPostgres(version, context));
  }
  if (request.mysql !== undefined && external.mysql === undefined) {
    start('mysql', startMysql(request.mysql, context, request.binlogServerOptions));
  }
  if (request.mariadb !== undefined && external.mariadb === undefined) {
    start('mariadb', startMariadb(request.mariadb, context, request.binlogServerOptions));
  }
  const kafka =
    request.kafka && external.kafka === undefined
      ? startKafka(request.kafka === true ? { brokers: 1 } : request.kafka, context)
      : null;
  if (kafka !== null) start('kafka', kafka);
  if (request.registry && external.registry === undefined) start('registry', startRegistry(context));

  let stopping: Promise<void> | undefined;
  const stop = () => {
    stopping ??= (async () => {
      aborter.abort(new Error('the local stack was stopped'));
      await Promise.allSettled(starting);
      await endStack(runDirectory);
      forgetHooks();
    })();
    return stopping;
  };
  const forgetHooks = hookExit(runDirectory, request.signal, stop);
  try {
    const services = new Map(await Promise.all(starting));
    const urls = urlsOf(services, external, request);
    writeRecord(runDirectory, {
      owner: isBackground ? null : owner,
      urls,
      processCount: runningProcesses(runDirectory).size,
    });
    if (isBackground) forgetHooks();
    return { urls, services, kafka: await kafka, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Ends the processes of a stack, whoever started it, and removes its directory. */
export async function endStack(runDirectory: string): Promise<void> {
  const processes = [...runningProcesses(runDirectory).values()];
  // The data goes with the processes, so there is nothing to wait for.
  await Promise.all(processes.map((identity) => endProcess(identity, [])));
  await rm(runDirectory, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
}

async function removeAbandonedStacks(report: Report): Promise<void> {
  for (const directory of abandonedDirectories()) {
    report(`removing the stack that a killed run left in ${directory}`);
    await endStack(directory);
  }
}

function urlsOf(services: ReadonlyMap<string, Service>, external: StackUrls, request: StackRequest): StackUrls {
  const postgres: Record<number, string> = {};
  for (const version of request.postgres ?? []) {
    postgres[version] = services.get(`postgres-${version}`)?.url ?? external.postgres[version]!;
  }
  const mysql = services.get('mysql')?.url ?? external.mysql;
  const mariadb = services.get('mariadb')?.url ?? external.mariadb;
  const kafka = services.get('kafka')?.url.split(',') ?? external.kafka;
  const registry = services.get('registry')?.url ?? external.registry;
  return {
    postgres,
    ...(request.mysql !== undefined && mysql !== undefined ? { mysql } : {}),
    ...(request.mariadb !== undefined && mariadb !== undefined ? { mariadb } : {}),
    ...(request.kafka && kafka !== undefined ? { kafka } : {}),
    ...(request.registry && registry !== undefined ? { registry } : {}),
  };
}

/** Makes the stack end with this process, however it ends; returns how to undo that. */
function hookExit(runDirectory: string, abort: AbortSignal | undefined, stop: () => Promise<void>): () => void {
  // Last resort, synchronous: process.exit() somewhere, or an uncaught error.
  const onExit = () => {
    for (const identity of runningProcesses(runDirectory).values()) signalProcess(identity, 'SIGKILL');
    try {
      rmSync(runDirectory, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
    } catch (error) {
      // A dying Postgres still wrote; the next start removes the rest.
      if ((error as NodeJS.ErrnoException).code !== 'ENOTEMPTY') throw error;
    }
  };
  const onSignal = (signal: NodeJS.Signals) => {
    stop().finally(() => process.exit(128 + constants.signals[signal]));
  };
  const onAbort = () => {
    // Whoever awaits `startStack` or `stop` learns of a failure.
    stop().catch(() => undefined);
  };
  const signals: NodeJS.Signals[] = abort === undefined ? ['SIGINT', 'SIGTERM', 'SIGHUP'] : [];
  if (abort?.aborted) onAbort();
  abort?.addEventListener('abort', onAbort);
  process.on('exit', onExit);
  for (const signal of signals) process.on(signal, onSignal);
  return () => {
    abort?.removeEventListener('abort', onAbort);
    process.off('exit', onExit);
    for (const signal of signals) process.off(signal, onSignal);
  };
}
