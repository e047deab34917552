import { FileStateStore } from '../checkpoint/file-state-store.ts';
import { KafkaStateStore } from '../checkpoint/kafka-state-store.ts';
import type { Settings } from '../core/settings.ts';
import type { StateStore } from '../core/source-state.ts';
import { KafkaFencedTopic } from '../kafka/fenced-topic.ts';

/** The store that `checkpoint:` names. Nothing is touched before a source is opened. */
export function openStateStore(settings: Settings): StateStore {
  const { checkpoint, kafka } = settings;
  if (checkpoint.store === 'file') return new FileStateStore(checkpoint.path);
  return new KafkaStateStore(new KafkaFencedTopic(kafka, checkpoint.topic), checkpoint.topic);
}
