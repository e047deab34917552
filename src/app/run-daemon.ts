import { startAdminServer } from '../admin/server.ts';
import { RegistryClient } from '../avro/registry-client.ts';
import type { RunOptions, Streams } from '../cli/application.ts';
import { compilePattern } from '../config/pattern.ts';
import type { Settings } from '../core/settings.ts';
import { createLogger } from '../observability/pino-logger.ts';
import { PrometheusMetrics } from '../observability/prometheus-metrics.ts';
import { SystemClock } from '../observability/system-clock.ts';
import { Supervisor } from '../supervisor/supervisor.ts';
import { composeSource } from './compose-source.ts';
import { loadConnector } from './load-connector.ts';
import { openStateStore } from './open-state-store.ts';
import { packageVersion } from './package-version.ts';
import { exitCodeOf, runUntilCaughtUp } from './run-until-caught-up.ts';
import { onStopSignals } from './stop-signals.ts';

const STOP_DEADLINE_MS = 25_000;
const INTERRUPTED_EXIT_CODE = 130;

/** Runs until SIGINT or SIGTERM, or until caught up. Read from top to bottom: this is how the rooms fit together. */
export async function runDaemon(settings: Settings, options: RunOptions, { stdout }: Streams): Promise<number> {
  const sources = settings.sources.filter(({ name }) => options.sources?.includes(name) ?? true);
  const clock = new SystemClock();
  const logger = createLogger(settings.log.level);
  const metrics = new PrometheusMetrics({ sources: sources.map(({ name }) => name), version: packageVersion() });
  const stateStore = openStateStore(settings);
  await using registry = new RegistryClient(settings.schemaRegistry, metrics);
  const parts = { settings, stateStore, registry, clock, logger, metrics };
  const inFlightBytes = Math.floor(settings.kafka.maxInFlightBytes / Math.max(sources.length, 1));
  const supervised = await Promise.all(
    sources.map(async (source) => composeSource(source, await loadConnector(source), inFlightBytes, parts)),
  );
  const supervisor = new Supervisor(supervised, { clock, logger, metrics });
  metrics.onCollect(() => supervisor.refreshMetrics());
  const server = await startAdminServer(
    settings.http,
    {
      status: supervisor,
      operations: supervisor,
      compilePattern,
      renderMetrics: () => metrics.render(),
      version: packageVersion(),
      // Written whatever the level of the log is.
      audit: createLogger('info').child({ audit: true }),
    },
    logger,
  );
  logger.info({ url: server.url, sources: sources.map(({ name }) => name) }, 'listening');
  let interrupted = false;
  const forget = onStopSignals(
    (signal) => {
      logger.info({ signal }, 'stopping');
      void supervisor.stop(STOP_DEADLINE_MS);
    },
    () => {
      interrupted = true;
      supervisor.kill();
    },
  );
  supervisor.start();
  const summaries = options.untilCaughtUp ? await runUntilCaughtUp(supervisor, clock) : null;
  if (summaries !== null) void supervisor.stop(STOP_DEADLINE_MS);
  const { exitCode } = await supervisor.waitUntilStopped();
  forget();
  await server.close();
  await stateStore.close();
  if (summaries !== null && options.json) stdout.write(`${JSON.stringify({ sources: summaries }, null, 2)}\n`);
  const code = interrupted ? INTERRUPTED_EXIT_CODE : exitCodeOf(summaries ?? []) || exitCode;
  logger.info({ exitCode: code }, 'stopped');
  return code;
}
