import { RegistryClient } from '../avro/registry-client.ts';
import type { CheckOptions, NamedFinding } from '../cli/application.ts';
import { TailraceError } from '../core/errors.ts';
import type { Settings } from '../core/settings.ts';
import { checkKafka } from '../kafka/check-kafka.ts';
import { createLogger } from '../observability/pino-logger.ts';
import { PrometheusMetrics } from '../observability/prometheus-metrics.ts';
import { SystemClock } from '../observability/system-clock.ts';
import { loadConnector } from './load-connector.ts';
import { openStateStore } from './open-state-store.ts';

const DEADLINE_MS = 30_000;

/** Looks at every database, Kafka, the registry and the checkpoint store at the same time, changing nothing. */
export async function checkAll(settings: Settings, options: CheckOptions): Promise<readonly NamedFinding[]> {
  const sources = settings.sources.filter(({ name }) => options.sources?.includes(name) ?? true);
  const metrics = new PrometheusMetrics({ processMetrics: false });
  const dependencies = { logger: createLogger('error'), metrics, clock: new SystemClock() };
  const signal = AbortSignal.timeout(DEADLINE_MS);
  const looks = [
    ...sources.map((source) =>
      look(source.name, async () => {
        const { connector, config } = await loadConnector(source);
        const findings = await connector.preflight(config, dependencies, signal);
        return findings.map((finding) => ({ subject: source.name, ...finding }));
      }),
    ),
    look('kafka', async () => {
      const findings = await checkKafka(settings.kafka, dependencies.clock, signal);
      return findings.map((finding) => ({ subject: 'kafka', ...finding }));
    }),
    look('schema registry', async () => {
      await using registry = new RegistryClient(settings.schemaRegistry, metrics);
      await registry.globalCompatibility(signal);
      return [fine('schema registry', 'connection')];
    }),
    look('checkpoint', () => checkStore(settings, sources[0]?.name ?? 'tailrace', signal)),
  ];
  return (await Promise.all(looks)).flat();
}

async function checkStore(settings: Settings, source: string, signal: AbortSignal): Promise<NamedFinding[]> {
  const store = openStateStore(settings);
  try {
    await store.peek(source, signal);
    return [fine('checkpoint', 'store')];
  } finally {
    await store.close();
  }
}

/** A look that fails is a finding like any other. */
async function look(subject: string, check: () => Promise<NamedFinding[]>): Promise<NamedFinding[]> {
  try {
    return await check();
  } catch (error) {
    if (!(error instanceof TailraceError)) throw error;
    return [{ subject, check: error.code, severity: 'error', problem: error.message, remedy: error.remedy }];
  }
}

function fine(subject: string, check: string): NamedFinding {
  return { subject, check, severity: 'ok', problem: '', remedy: '' };
}
