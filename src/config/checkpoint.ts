import { z } from 'zod';
import type { CheckpointSettings } from '../core/settings.ts';
import { choice, duration, refuse, text } from './fields.ts';

const DEFAULT_TOPIC = 'tailrace-checkpoints';

export const checkpointSchema = z
  .strictObject({
    store: choice(['kafka', 'file']).prefault('kafka').meta({ description: 'Where checkpoints are kept.' }),
    topic: text({ kind: 'a topic name', pattern: /^[A-Za-z0-9._-]{1,249}$/ })
      .optional()
      .meta({
        description: `With \`store: kafka\`: the compacted topic of one partition, \`${DEFAULT_TOPIC}\` when missing.`,
      }),
    path: text({ kind: 'a folder, relative to this configuration' }).optional().meta({
      description: 'With `store: file`: the folder of the checkpoint files.',
    }),
    interval: duration({ minMs: 10, maxMs: 3_600_000, kind: 'from 10ms to 1h' }).prefault('1s').meta({
      description: 'How often a checkpoint is saved at most: what a crash repeats.',
    }),
  })
  .transform((checkpoint, ctx): CheckpointSettings => {
    const { store, topic, path, interval: intervalMs } = checkpoint;
    const contradicts = (name: string) => refuse(ctx, `contradicts store: ${store}`, 'Remove one of the two.', [name]);
    if (store === 'kafka') {
      if (path !== undefined) contradicts('path');
      return { store, topic: topic ?? DEFAULT_TOPIC, intervalMs };
    }
    if (topic !== undefined) contradicts('topic');
    if (path === undefined) return refuse(ctx, 'is required by store: file', 'Set it to a folder.', ['path']);
    return { store, path, intervalMs };
  });
