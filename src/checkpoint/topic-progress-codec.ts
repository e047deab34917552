import type { TopicProgress } from '../core/checkpoint.ts';
import { isCount, StoredJson } from './stored-json.ts';

const PREFIX = 'topic/';

/** Where a source's state keeps how far a topic was written. */
export function topicProgressKey(topic: string): string {
  return `${PREFIX}${topic}`;
}

export function isTopicProgressKey(key: string): boolean {
  return key.startsWith(PREFIX);
}

export function encodeTopicProgress({ topic, topicId, endOffsets }: TopicProgress): string {
  return JSON.stringify({ formatVersion: 1, topic, topicId, endOffsets });
}

/** @throws FatalError for everything that `encodeTopicProgress` never gives, and for the progress of another topic. */
export function decodeTopicProgress(text: string, key: string): TopicProgress {
  const json = new StoredJson(text, `the progress under ${key}`, 1);
  json.only(['topic', 'topicId', 'endOffsets']);
  const topic = json.text('topic');
  if (topicProgressKey(topic) !== key) throw json.damaged(`it is that of topic ${topic}`);
  return {
    topic,
    topicId: json.text('topicId'),
    endOffsets: json.field('endOffsets', isOffsets, 'a list of offsets'),
  };
}

function isOffsets(value: unknown): value is (number | null)[] {
  return Array.isArray(value) && value.every((offset) => offset === null || isCount(offset));
}
