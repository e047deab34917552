import { z } from 'zod';
import type { Operation } from '../core/encoder.ts';
import type { SourceSettings } from '../core/settings.ts';
import { columnsSchema } from './columns.ts';
import { choice, duration, flag, list, pattern, text } from './fields.ts';
import { notificationsSchema, signalsSchema } from './signals.ts';
import { snapshotSchema } from './snapshot.ts';

export const SOURCE_TYPES = ['postgres', 'mysql', 'mariadb'] as const;

/** Debezium's own default, which consumers may know. */
const UNAVAILABLE_PLACEHOLDER = '__debezium_unavailable_value';

const NAME_ADJUSTMENTS = ['none', 'avro', 'avro_unicode'] as const;

const messageKeySchema = z.strictObject({
  table: pattern('schema.table').meta({ description: 'Tables that get this key.' }),
  columns: list(text({ kind: 'a column name' }), { min: 1 }).meta({ description: 'Columns of the key, in its order.' }),
});

/** What every source has. What only its kind of database has is in `database-settings.ts`. */
export const sourceShape = {
  name: text({
    kind: 'a name of letters, digits, "_", "-" and ".", at most 63 characters',
    pattern: /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/,
  }).meta({ description: 'Unique name of the source in commands, metrics and checkpoints.' }),
  type: choice(SOURCE_TYPES).meta({ description: 'The kind of database.' }),
  topic_prefix: text({
    kind: 'a prefix of letters, digits, "_", "-" and "."',
    pattern: /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}$/,
  })
    .optional()
    .meta({
      description: 'First part of every topic name and of every schema name; the name of the source when missing.',
    }),
  tables: z
    .strictObject({
      include: list(pattern('schema.table'))
        .prefault([])
        .meta({ description: 'Tables to capture; every table when empty.' }),
      exclude: list(pattern('schema.table'))
        .prefault([])
        .meta({ description: 'Tables not to capture although included.' }),
    })
    .prefault({})
    .meta({ description: 'Which tables are captured.' }),
  columns: columnsSchema
    .prefault({})
    .meta({ description: 'What happens to columns before anything leaves the process.' }),
  message_key: list(messageKeySchema).prefault([]).meta({
    description: 'Keys to use instead of the primary key; the first rule that matches wins.',
  }),
  snapshot: snapshotSchema.prefault({}).meta({ description: 'Reading the rows that are already in the tables.' }),
  signals: signalsSchema.prefault({}).meta({ description: 'Where Debezium’s signals are read. See signals.md.' }),
  notifications: notificationsSchema.prefault({}).meta({ description: 'Where Debezium’s notifications are written.' }),
  heartbeat: z
    .strictObject({
      interval: duration({ minMs: 100, maxMs: 3_600_000, kind: 'from 100ms to 1h' }).prefault('10s').meta({
        description: 'How often an idle source says that it lives, so that its log can be released.',
      }),
      topic: flag().prefault(false).meta({
        description: 'Whether heartbeats are also published, to `__debezium-heartbeat.<topic_prefix>`.',
      }),
    })
    .prefault({})
    .meta({ description: 'Signs of life of a source without changes.' }),
  extended_headers: flag().prefault(false).meta({
    description: 'Whether every record carries Debezium’s `__debezium.context.*` headers, about 150 bytes.',
  }),
  tombstones_on_delete: flag().prefault(true).meta({
    description: 'Whether a deletion is followed by a record without value, for compacted topics.',
  }),
  transaction_metadata: flag().prefault(false).meta({
    description: 'Whether transactions are marked in records and in the topic `<topic_prefix>.transaction`.',
  }),
  skipped_operations: list(choice(['c', 'u', 'd', 't']))
    .prefault(['t'])
    .meta({
      description: 'Operations that are not published: create, update, delete, truncate.',
    }),
  on_poison: choice(['fail', 'dead_letter']).prefault('fail').meta({
    description:
      'What to do about a change that cannot be published: stop the source before it, or write it to the dead letter topic and go on.',
  }),
  schema_name_adjustment: choice(NAME_ADJUSTMENTS).prefault('none').meta({
    description: 'How schema names are made valid for Avro: not at all, by `_`, or by `_uXXXX`.',
  }),
  field_name_adjustment: choice(NAME_ADJUSTMENTS).prefault('none').meta({
    description: 'How field names are made valid for Avro: not at all, by `_`, or by `_uXXXX`.',
  }),
  unavailable_value_placeholder: text({ empty: true }).prefault(UNAVAILABLE_PLACEHOLDER).meta({
    description: 'Stands for a value that the database did not log, such as an unchanged TOAST column.',
  }),
};

/** Everything but the part that only the connector understands. */
export type CommonSourceSettings = Omit<SourceSettings, 'connector'>;

export const sourceSchema = z.strictObject(sourceShape).transform(
  (source): CommonSourceSettings => ({
    name: source.name,
    type: source.type,
    topicPrefix: source.topic_prefix ?? source.name,
    tables: source.tables,
    columns: source.columns,
    messageKeys: source.message_key,
    snapshot: source.snapshot,
    signals: source.signals,
    notifications: source.notifications,
    heartbeatIntervalMs: source.heartbeat.interval,
    heartbeatTopic: source.heartbeat.topic,
    extendedHeaders: source.extended_headers,
    tombstonesOnDelete: source.tombstones_on_delete,
    transactionMetadata: source.transaction_metadata,
    skippedOperations: new Set<Operation>(source.skipped_operations),
    onPoison: source.on_poison,
    schemaNameAdjustment: source.schema_name_adjustment,
    fieldNameAdjustment: source.field_name_adjustment,
    unavailablePlaceholder: source.unavailable_value_placeholder,
  }),
);
