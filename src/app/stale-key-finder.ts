import type { RegistryClient } from '../avro/registry-client.ts';
import { RowEncoder } from '../avro/row-encoder.ts';
import type { Clock } from '../core/clock.ts';
import type { KafkaSettings, SourceSettings } from '../core/settings.ts';
import type { StaleKeyFinder } from '../core/stale-keys.ts';
import { TopicLog } from '../kafka/topic-log.ts';
import { shapeTable } from '../pipeline/table-shape.ts';
import { ColumnSets } from '../verify/column-sets.ts';
import { RecordStates } from '../verify/record-states.ts';
import { StaleTopicKeys } from '../verify/stale-topic-keys.ts';
import { rememberedSchemas } from './remembered-schemas.ts';
import { topicSource } from './topic-source.ts';

/** Reads topics as `verify` does. */
export function createStaleKeyFinder(
  source: SourceSettings,
  kafka: KafkaSettings,
  registry: RegistryClient,
  clock: Clock,
): StaleKeyFinder {
  const log = new TopicLog(kafka, clock);
  const topics = topicSource(log);
  const texts = new Map();
  return {
    ends: async (topic, signal) => ((await topics.describe(topic, signal)) === null ? [] : topics.ends(topic, signal)),
    async find({ version, topic, since }, signal) {
      const encoder = new RowEncoder(shapeTable(version, source, topic), {
        schemaNames: source.schemaNameAdjustment,
        fieldNames: source.fieldNameAdjustment,
        placeholder: source.unavailablePlaceholder,
        texts,
      });
      const states = new RecordStates({
        keyLayout: encoder.keyLayout,
        rowLayout: encoder.rowLayout,
        isKeyless: false,
        columns: encoder.shape.value.map(({ column }) => column.name),
        columnSets: new ColumnSets(),
        texts,
        schemaById: rememberedSchemas((id) => registry.schemaById(id, signal)),
        unavailableColumns: () => [],
      });
      return StaleTopicKeys.find({ topics, topic, since, states }, signal);
    },
    [Symbol.asyncDispose]: () => log[Symbol.asyncDispose](),
  };
}
