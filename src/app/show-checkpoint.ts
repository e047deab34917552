import { CHECKPOINT_KEY, decodeCheckpoint } from '../checkpoint/checkpoint-codec.ts';
import { decodeTopicProgress, isTopicProgressKey } from '../checkpoint/topic-progress-codec.ts';
import type { Settings } from '../core/settings.ts';
import { openStateStore } from './open-state-store.ts';

const DEADLINE_MS = 30_000;

/** The saved checkpoint of a source and how far its topics had come; null where nothing is saved. Claims nothing. */
export async function showCheckpoint(settings: Settings, sourceName: string): Promise<object | null> {
  const store = openStateStore(settings);
  try {
    const entries = await store.peek(sourceName, AbortSignal.timeout(DEADLINE_MS));
    const text = entries?.get(CHECKPOINT_KEY);
    if (entries === null || text === undefined) return null;
    const topics = [...entries]
      .filter(([key]) => isTopicProgressKey(key))
      .map(([key, value]) => decodeTopicProgress(value, key))
      .sort((a, b) => (a.topic < b.topic ? -1 : 1));
    return { ...decodeCheckpoint(text, sourceName), topics };
  } finally {
    await store.close();
  }
}
