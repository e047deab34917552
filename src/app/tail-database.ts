import type { TailOptions } from '../cli/application.ts';
import type { LiveChange } from '../cli/change-line.ts';
import { connectorRegistry } from '../connector-registry.ts';
import type { ChangeStream, SourceConnector, TailTarget } from '../core/connector.ts';
import { ConfigurationError } from '../core/errors.ts';
import { Secret } from '../core/secret.ts';
import { PrometheusMetrics } from '../observability/prometheus-metrics.ts';
import { SystemClock } from '../observability/system-clock.ts';
import { LiveChanges } from './live-changes.ts';
import { noticeLogger } from './notice-logger.ts';

/** Shows the changes of a database until `options.signal` aborts; what that needs on the server is gone afterwards. */
export async function tailDatabase(
  url: string,
  options: TailOptions,
  emit: (change: LiveChange) => void,
): Promise<void> {
  const { signal } = options;
  let stream: ChangeStream<unknown>;
  try {
    stream = await openTail({ url: new Secret(url), tables: options.tables }, options);
  } catch (error) {
    if (signal.aborted) return;
    throw error;
  }
  await using open = stream;
  const end = (): void => open.end();
  if (signal.aborted) end();
  signal.addEventListener('abort', end, { once: true });
  options.notice('Waiting for changes; Ctrl-C stops.');
  const changes = new LiveChanges(emit, options.tables.length === 0);
  for await (const batch of open) {
    const resumeAt = changes.take(batch);
    batch.release();
    if (resumeAt !== null) open.acknowledge(resumeAt);
  }
}

async function openTail(target: TailTarget, { signal, notice }: TailOptions): Promise<ChangeStream<unknown>> {
  const connector = await connectorOf(target.url.reveal());
  if (connector.openTail === undefined) {
    throw new ConfigurationError(`databases of type ${connector.type} cannot be tailed`, {
      code: 'TAIL_NOT_BUILT',
      remedy: 'Tail a topic of the source instead.',
    });
  }
  const metrics = new PrometheusMetrics({ processMetrics: false });
  const dependencies = { logger: noticeLogger(notice), metrics, clock: new SystemClock() };
  // Positions are the connector's own business: what a batch gives goes back as it is.
  return (await connector.openTail(target, dependencies, signal)) as unknown as ChangeStream<unknown>;
}

/** By the scheme of the URL, which the command line has checked. */
async function connectorOf(url: string): Promise<Pick<SourceConnector<never, unknown>, 'type' | 'openTail'>> {
  const scheme = URL.parse(url)?.protocol;
  if (scheme === 'mysql:') return connectorRegistry.mysql();
  return scheme === 'mariadb:' ? connectorRegistry.mariadb() : connectorRegistry.postgres();
}
