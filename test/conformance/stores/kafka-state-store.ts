import { KafkaStateStore } from '../../../src/checkpoint/kafka-state-store.ts';
import type { StateStore } from '../../../src/core/source-state.ts';
import { KafkaFencedTopic } from '../../../src/kafka/fenced-topic.ts';
import { kafkaSettings } from '../../support/kafka-settings.ts';

/** `location` is a topic. */
export function createStore(location: string): StateStore {
  return new KafkaStateStore(new KafkaFencedTopic(kafkaSettings(), location), location);
}
