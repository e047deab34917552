import { z } from 'zod';
import type { NotificationSettings, SignalSettings } from '../core/settings.ts';
import { text } from './fields.ts';

const topicName = () =>
  text({ kind: 'a topic name of letters, digits, "_", "-" and "."', pattern: /^[A-Za-z0-9._-]{1,249}$/ });

/** The section `signals` of a source. */
export const signalsSchema = z
  .strictObject({
    table: text({ kind: 'the name of a table, schema.table', pattern: /^[^.]+\..+$/ })
      .optional()
      .meta({
        description:
          'Table whose new rows are Debezium’s signals, as `schema.table` (`database.table` with MySQL and MariaDB), not a pattern. It is captured whatever `tables` says, and published as every other table. None when missing.',
      }),
    topic: topicName().optional().meta({
      description: 'Topic whose records with the key `<topic_prefix>` are Debezium’s signals. None when missing.',
    }),
  })
  .transform(({ table, topic }): SignalSettings => ({ table: table ?? null, topic: topic ?? null }));

/** The section `notifications` of a source. */
export const notificationsSchema = z
  .strictObject({
    topic: topicName().optional().meta({
      description: 'Topic that is told how snapshots get on, as Debezium’s sink channel does. None when missing.',
    }),
  })
  .transform(({ topic }): NotificationSettings => ({ topic: topic ?? null }));
