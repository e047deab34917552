import type { Clock } from '../core/clock.ts';
import type { ConnectorConfig, SourceConnector } from '../core/connector.ts';
import type { RecordEncoder } from '../core/encoder.ts';
import type { Logger } from '../core/logger.ts';
import type { Metrics } from '../core/metrics.ts';
import type { SourceSettings } from '../core/settings.ts';
import type { OpenSignalTopic } from '../core/signal.ts';
import type { Sink } from '../core/sink.ts';
import type { SourceMemory } from '../core/source-memory.ts';
import type { WaitReason } from '../core/source-runner.ts';
import type { StaleKeyFinder } from '../core/stale-keys.ts';
import type { CompilePattern } from './signals/parse-signal.ts';

export interface SignalDependencies {
  readonly openTopic: OpenSignalTopic;
  readonly compilePattern: CompilePattern;
}

/** What a pipeline is built from; `app.ts` provides it. */
export interface PipelineDependencies<C extends ConnectorConfig, P> {
  readonly settings: SourceSettings;
  readonly connector: SourceConnector<C, P>;
  readonly config: C;
  /** Discard the position that is stored and start over. */
  readonly resync: boolean;
  /** What a resync does not meet in the tables stays in the topics. */
  readonly keepsDeleted: boolean;
  readonly checkpointIntervalMs: number;
  /** Claims the source's durable memory; from then on an older owner can save nothing. */
  readonly openMemory: (signal: AbortSignal) => Promise<SourceMemory>;
  /** The sink asks `confirmOwnership` after the process stood still, and sends nothing before that resolves. */
  readonly openSink: (confirmOwnership: (signal: AbortSignal) => Promise<void>, signal: AbortSignal) => Promise<Sink>;
  /** `onWaiting` is told while the encoder waits for schema ids. */
  readonly createEncoder: (memory: SourceMemory, onWaiting: (reason: WaitReason | null) => void) => RecordEncoder;
  /** Only asked where topics are to be searched after a resync. */
  readonly createStaleKeyFinder: () => StaleKeyFinder;
  /** What signals need; only asked where the source has some. */
  readonly signals: SignalDependencies;
  /** Identifies this run in the `extended_headers`. */
  readonly runId: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}
