import type { Settings } from '../core/settings.ts';
import { createLogger } from '../observability/pino-logger.ts';
import { PrometheusMetrics } from '../observability/prometheus-metrics.ts';
import { SystemClock } from '../observability/system-clock.ts';
import { withOwnedSource } from './owned-state.ts';

/** Drops what a source made on its database. What is stored of it stays: a start without the slot is seen as a loss. */
export async function teardown(settings: Settings, source: string): Promise<void> {
  // Owned only to see that nobody runs it: a slot that is read from cannot be dropped.
  const configured = await withOwnedSource(settings, source, async ({ configured: known, session }) => {
    await session();
    return known;
  });
  const dependencies = {
    logger: createLogger('error'),
    metrics: new PrometheusMetrics({ processMetrics: false }),
    clock: new SystemClock(),
  };
  await configured.connector.teardown(configured.config, dependencies, AbortSignal.timeout(DEADLINE_MS));
}

const DEADLINE_MS = 30_000;
