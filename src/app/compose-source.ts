import { createAvroRecordEncoder } from '../avro/avro-record-encoder.ts';
import type { RegistryClient } from '../avro/registry-client.ts';
import type { RegistryWait } from '../avro/schema-ids.ts';
import { ignoringCase } from '../config/debezium-patterns.ts';
import { compilePattern } from '../config/pattern.ts';
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/logger.ts';
import type { Metrics } from '../core/metrics.ts';
import type { Settings, SourceSettings } from '../core/settings.ts';
import type { WaitReason } from '../core/source-runner.ts';
import type { StateStore } from '../core/source-state.ts';
import { createKafkaSink } from '../kafka/kafka-sink.ts';
import { TopicTail } from '../kafka/topic-tail.ts';
import { Pipeline } from '../pipeline/pipeline.ts';
import type { SupervisedSource } from '../supervisor/source-supervisor.ts';
import type { ConfiguredConnector } from './load-connector.ts';
import { newRunId } from './run-id.ts';
import { SourceMemories } from './source-memories.ts';
import { createStaleKeyFinder } from './stale-key-finder.ts';

export interface DaemonParts {
  readonly settings: Settings;
  readonly stateStore: StateStore;
  readonly registry: RegistryClient;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

function waitReason({ subject, error: { code, message, remedy } }: RegistryWait): WaitReason {
  return { code, message: `No id is known for the new schema of subject ${subject}. ${message}`, remedy };
}

/** Everything that one source is made of. Sources share the store, the registry client and nothing that a run changes. */
export function composeSource(
  source: SourceSettings,
  { connector, config }: ConfiguredConnector,
  inFlightBytes: number,
  parts: DaemonParts,
): SupervisedSource {
  const { settings, stateStore, registry, clock, metrics } = parts;
  const logger = parts.logger.child({ source: source.name });
  const runId = newRunId(clock.nowMs());
  const memories = new SourceMemories(stateStore, source.name);
  return {
    name: source.name,
    type: source.type,
    createRunner: ({ resync, keepsDeleted = false }) =>
      new Pipeline({
        settings: source,
        connector,
        config,
        resync,
        keepsDeleted,
        checkpointIntervalMs: settings.checkpoint.intervalMs,
        openMemory: (signal) => memories.open(resync, signal),
        openSink: (confirmOwnership, signal) =>
          createKafkaSink(
            {
              settings: settings.kafka,
              source: source.name,
              budgetBytes: inFlightBytes,
              metrics,
              logger,
              clock,
              confirmOwnership,
            },
            signal,
          ),
        createEncoder: (memory, onWaiting) =>
          createAvroRecordEncoder({
            settings: source,
            registry,
            knownIds: memory.schemaIds,
            logger,
            clock,
            onRegistryWait: (wait) => onWaiting(wait === null ? null : waitReason(wait)),
          }),
        createStaleKeyFinder: () => createStaleKeyFinder(source, settings.kafka, registry, clock),
        signals: {
          openTopic: (topic, from, signal) => TopicTail.open(settings.kafka, topic, clock, signal, from),
          compilePattern: (text) => compilePattern(ignoringCase(text)),
        },
        runId,
        clock,
        logger,
        metrics,
      }),
  };
}
