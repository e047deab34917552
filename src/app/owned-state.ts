import type { SourceSession } from '../core/connector.ts';
import { OwnershipLostError } from '../core/errors.ts';
import type { Settings, SourceSettings } from '../core/settings.ts';
import type { SourceState } from '../core/source-state.ts';
import { createLogger } from '../observability/pino-logger.ts';
import { PrometheusMetrics } from '../observability/prometheus-metrics.ts';
import { SystemClock } from '../observability/system-clock.ts';
import { type ConfiguredConnector, loadConnector } from './load-connector.ts';
import { openStateStore } from './open-state-store.ts';

const DEADLINE_MS = 30_000;
/** How long another owner of the log is waited for: it may only just be ending. */
const TURN_MS = 3_000;

/** What `work` may use while nobody else can run the source. */
export interface OwnedSource {
  readonly configured: ConfiguredConnector;
  readonly signal: AbortSignal;
  /** Opens the session, and owns the log for as long as `work` runs. */
  session(): Promise<SourceSession<unknown>>;
  state(): Promise<SourceState>;
  /** As `state`, for one who replaces everything in it. */
  stateToReplace(): Promise<SourceState>;
}

/**
 * Runs `work` on a source that does not run, and refuses where it does. A file store says by its lock whether it runs. A
 * Kafka store does not: opening it would fence a running owner. So the log of the database is owned first, as a daemon
 * does before it opens its state: one that runs has it, and one that starts meanwhile waits. A paused or failed source
 * does not run.
 * @throws OwnershipLostError while the source runs.
 */
export async function withOwnedSource<T>(
  settings: Settings,
  sourceName: string,
  work: (owned: OwnedSource) => Promise<T>,
): Promise<T> {
  const source = settings.sources.find(({ name }) => name === sourceName) as SourceSettings;
  const signal = AbortSignal.timeout(DEADLINE_MS);
  const configured = await loadConnector(source);
  const store = openStateStore(settings);
  await using resources = new AsyncDisposableStack();
  resources.defer(() => store.close());
  let opened: Promise<SourceSession<unknown>> | null = null;
  const session = () => {
    opened ??= openAndClaim(configured, sourceName, resources, signal);
    return opened;
  };
  const claim = async (open: 'open' | 'openToReplace') => {
    if (settings.checkpoint.store === 'kafka') await session();
    const claimed = await store[open](sourceName, signal).catch((error: unknown) => {
      throw error instanceof OwnershipLostError ? running(sourceName, error) : error;
    });
    resources.use(claimed);
    return claimed;
  };
  // Awaited here: the resources are given back when this function ends.
  const state = () => claim('open');
  const stateToReplace = () => claim('openToReplace');
  return await work({ configured, signal, session, state, stateToReplace });
}

async function openAndClaim(
  { connector, config }: ConfiguredConnector,
  source: string,
  resources: AsyncDisposableStack,
  signal: AbortSignal,
): Promise<SourceSession<unknown>> {
  const metrics = new PrometheusMetrics({ processMetrics: false });
  const dependencies = { logger: createLogger('error'), metrics, clock: new SystemClock() };
  const session = resources.use(await connector.open(config, dependencies, signal));
  const turn = AbortSignal.timeout(TURN_MS);
  try {
    await session.claim(AbortSignal.any([signal, turn]));
  } catch (error) {
    throw error === turn.reason ? running(source, error) : error;
  }
  return session;
}

function running(source: string, cause: unknown): OwnershipLostError {
  return new OwnershipLostError(`source ${source} is running`, {
    code: 'SOURCE_RUNNING',
    remedy: `Pause it with tailrace pause ${source}, or stop its daemon, and try again.`,
    source,
    cause,
  });
}
