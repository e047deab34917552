import { RegistryClient } from '../avro/registry-client.ts';
import { RegistryRefusal } from '../avro/registry-errors.ts';
import { checkFileStore } from '../checkpoint/check-file-store.ts';
import type { CheckOptions, NamedFinding } from '../cli/application.ts';
import type { ConnectorDependencies } from '../core/connector.ts';
import { TailraceError } from '../core/errors.ts';
import type { Settings, SourceSettings } from '../core/settings.ts';
import { untilAborted } from '../core/until-aborted.ts';
import { checkKafka } from '../kafka/check-kafka.ts';
import { KafkaFencedTopic } from '../kafka/fenced-topic.ts';
import { createLogger } from '../observability/pino-logger.ts';
import { PrometheusMetrics } from '../observability/prometheus-metrics.ts';
import { SystemClock } from '../observability/system-clock.ts';
import { loadConnector } from './load-connector.ts';
import { openStateStore } from './open-state-store.ts';
import { explainRefusal } from './registry-refusal.ts';

const DEADLINE_MS = 30_000;
/** Shorter than the deadline: what gives up by itself can say why. */
const TOPIC_PATIENCE_MS = 15_000;

/** Looks at one thing. What it throws becomes a finding, and what does not answer in time too. */
interface Look {
  readonly subject: string;
  look(signal: AbortSignal): Promise<readonly Omit<NamedFinding, 'subject'>[]>;
}

/** Looks at every database, Kafka, the registry and the checkpoint store at the same time, changing nothing. */
export async function checkAll(
  settings: Settings,
  options: CheckOptions,
  deadlineMs = DEADLINE_MS,
): Promise<readonly NamedFinding[]> {
  const sources = settings.sources.filter(({ name }) => options.sources?.includes(name) ?? true);
  const metrics = new PrometheusMetrics({ processMetrics: false });
  const dependencies = { logger: createLogger('error'), metrics, clock: new SystemClock() };
  const looks: Look[] = [
    ...sources.map((source) => lookAtSource(source, dependencies)),
    { subject: 'kafka', look: (signal) => checkKafka(settings.kafka, dependencies.clock, signal) },
    {
      subject: 'schema registry',
      look: async (signal) => {
        await using registry = new RegistryClient(settings.schemaRegistry, metrics);
        await registry.globalCompatibility(signal);
        return [fine('connection')];
      },
    },
    { subject: 'checkpoint', look: (signal) => lookAtStore(settings, sources, signal) },
  ];
  const findings = await Promise.all(looks.map((each) => findingsOf(each, settings, deadlineMs)));
  return findings.flat();
}

function lookAtSource(source: SourceSettings, dependencies: ConnectorDependencies): Look {
  return {
    subject: source.name,
    look: async (signal) => {
      const { connector, config } = await loadConnector(source);
      return connector.preflight(config, dependencies, signal);
    },
  };
}

async function lookAtStore(settings: Settings, sources: readonly SourceSettings[], signal: AbortSignal) {
  const { checkpoint, kafka } = settings;
  if (checkpoint.store === 'file') await checkFileStore(checkpoint.path, sources[0]?.name ?? '');
  else await new KafkaFencedTopic(kafka, checkpoint.topic, { claimTimeoutMs: TOPIC_PATIENCE_MS }).verify(signal);
  const store = openStateStore(settings);
  try {
    for (const { name } of sources) await store.peek(name, signal);
    return [fine('store')];
  } finally {
    await store.close();
  }
}

async function findingsOf({ subject, look }: Look, settings: Settings, deadlineMs: number): Promise<NamedFinding[]> {
  const deadline = AbortSignal.timeout(deadlineMs);
  try {
    const findings = await untilAborted(look(deadline), deadline);
    return findings.map((finding) => ({ subject, ...finding }));
  } catch (error) {
    const failure = error instanceof RegistryRefusal ? explainRefusal(error, settings.schemaRegistry) : error;
    return [{ subject, severity: 'error', ...explain(failure, deadline.aborted, deadlineMs) }];
  }
}

function explain(
  error: unknown,
  late: boolean,
  deadlineMs: number,
): Pick<NamedFinding, 'check' | 'problem' | 'remedy'> {
  if (error instanceof TailraceError) return { check: error.code, problem: error.message, remedy: error.remedy };
  if (late) {
    return {
      check: 'NO_ANSWER',
      problem: `There was no answer within ${deadlineMs / 1000} s.`,
      remedy: 'Check host and port, firewalls that drop packets, and the load over there.',
    };
  }
  return {
    check: 'UNEXPECTED',
    problem: error instanceof Error ? `${error.name}: ${error.message}` : String(error),
    remedy: 'Not foreseen: report it with the configuration (secrets removed).',
  };
}

function fine(check: string): Omit<NamedFinding, 'subject'> {
  return { check, severity: 'ok', problem: '', remedy: '' };
}
