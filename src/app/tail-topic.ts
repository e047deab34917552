import { AvroDecodeError } from '../avro/avro-reader.ts';
import { RegistryClient } from '../avro/registry-client.ts';
import { RegistryRefusal } from '../avro/registry-errors.ts';
import type { TailOptions } from '../cli/application.ts';
import type { LiveChange } from '../cli/change-line.ts';
import type { Settings } from '../core/settings.ts';
import type { LogRecord } from '../kafka/log-batches.ts';
import { TopicTail } from '../kafka/topic-tail.ts';
import { PrometheusMetrics } from '../observability/prometheus-metrics.ts';
import { SystemClock } from '../observability/system-clock.ts';
import { recordAsChange, type TopicChange } from './record-as-change.ts';
import { RecordDecoder } from './record-decoder.ts';
import { explainRefusal } from './registry-refusal.ts';

/** Shows what is published to a topic from now on, until `options.signal` aborts. Tombstones are not shown. */
export async function tailTopic(
  settings: Settings,
  topic: string,
  options: TailOptions,
  emit: (change: LiveChange) => void,
): Promise<void> {
  const { signal, tables, notice } = options;
  await using registry = new RegistryClient(settings.schemaRegistry, new PrometheusMetrics({ processMetrics: false }));
  const decoder = new RecordDecoder((id) => registry.schemaById(id, signal));
  try {
    await using tail = await TopicTail.open(settings.kafka, topic, new SystemClock(), signal);
    notice('Waiting for changes; Ctrl-C stops.');
    for await (const records of tail.records(signal)) {
      for (const record of records) {
        const change = record.value === null ? null : await changeOf(record, topic, decoder, notice);
        if (change !== null && isWanted(change, tables)) emit(change);
        if (signal.aborted) return;
      }
    }
  } catch (error) {
    if (signal.aborted) return;
    throw error instanceof RegistryRefusal ? explainRefusal(error, settings.schemaRegistry) : error;
  }
}

/** Null for a record that cannot be read, which is said. */
async function changeOf(
  record: LogRecord,
  topic: string,
  decoder: RecordDecoder,
  notice: TailOptions['notice'],
): Promise<TopicChange | null> {
  try {
    const key = await decoder.decode(record.key);
    const value = await decoder.decode(record.value);
    return recordAsChange({ topic, timestampMs: record.timestampMs, key, value });
  } catch (error) {
    if (!(error instanceof AvroDecodeError)) throw error;
    notice(`warning: the record at offset ${record.offset} of ${topic} cannot be read: ${error.message}`);
    return null;
  }
}

function isWanted({ isTableChange, table }: TopicChange, tables: readonly RegExp[]): boolean {
  return tables.length === 0 || (isTableChange && tables.some((pattern) => pattern.test(table)));
}
