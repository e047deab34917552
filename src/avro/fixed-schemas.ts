import type { ConnectField, ConnectSchema, ConnectStruct } from '../core/connect-schema.ts';
import { TRANSACTION_BLOCK } from './envelope-schema.ts';

/** Schemas that are the same for every table. Their names are never adjusted: they are legal as they are. */
export const TRANSACTION_KEY = versioned('io.debezium.connector.common.TransactionMetadataKey', [
  required('id', { type: 'string' }),
]);

const EVENT_COLLECTION = versioned('event.collection', [
  required('data_collection', { type: 'string' }),
  required('event_count', { type: 'int64' }),
]);

export const TRANSACTION_VALUE = versioned('io.debezium.connector.common.TransactionMetadataValue', [
  required('status', { type: 'string' }),
  required('id', { type: 'string' }),
  optional('event_count', { type: 'int64' }),
  optional('data_collections', { type: 'array', items: EVENT_COLLECTION, itemsOptional: true }),
  required('ts_ms', { type: 'int64' }),
]);

export const HEARTBEAT_KEY = versioned('io.debezium.connector.common.ServerNameKey', [
  required('serverName', { type: 'string' }),
]);

export const HEARTBEAT_VALUE = versioned('io.debezium.connector.common.Heartbeat', [
  required('ts_ms', { type: 'int64' }),
]);

export const NOTIFICATION_KEY = versioned('io.debezium.connector.common.NotificationKey', [
  required('id', { type: 'string' }),
]);

export const NOTIFICATION_VALUE = versioned('io.debezium.connector.common.Notification', [
  required('id', { type: 'string' }),
  required('type', { type: 'string' }),
  required('aggregate_type', { type: 'string' }),
  optional('additional_data', { type: 'map', values: { type: 'string' }, valuesOptional: false }),
  required('timestamp', { type: 'int64' }),
]);

/** The schemas of logical messages carry the connector's namespace, which is that of its source block. */
export function messageKeySchema(source: ConnectStruct): ConnectStruct {
  return versioned(`${namespaceOf(source)}.MessageKey`, [optional('prefix', { type: 'string' })]);
}

export function messageValueSchema(source: ConnectStruct, content: ConnectSchema): ConnectStruct {
  const namespace = namespaceOf(source);
  const message = versioned(`${namespace}.Message`, [
    optional('prefix', { type: 'string' }),
    optional('content', content),
  ]);
  return versioned(`${namespace}.MessageValue`, [
    required('op', { type: 'string' }),
    optional('ts_ms', { type: 'int64' }),
    required('source', source),
    optional('transaction', TRANSACTION_BLOCK),
    required('message', message),
  ]);
}

const COLUMN = versioned('io.debezium.connector.schema.Column', [
  required('name', { type: 'string' }),
  required('jdbcType', { type: 'int32' }),
  optional('nativeType', { type: 'int32' }),
  required('typeName', { type: 'string' }),
  optional('typeExpression', { type: 'string' }),
  optional('charsetName', { type: 'string' }),
  optional('length', { type: 'int32' }),
  optional('scale', { type: 'int32' }),
  required('position', { type: 'int32' }),
  optional('optional', { type: 'boolean' }),
  optional('autoIncremented', { type: 'boolean' }),
  optional('generated', { type: 'boolean' }),
  optional('comment', { type: 'string' }),
  optional('defaultValueExpression', { type: 'string' }),
  optional('enumValues', { type: 'array', items: { type: 'string' }, itemsOptional: false }),
]);

const TABLE = versioned('io.debezium.connector.schema.Table', [
  optional('defaultCharsetName', { type: 'string' }),
  optional('primaryKeyColumnNames', { type: 'array', items: { type: 'string' }, itemsOptional: false }),
  required('columns', { type: 'array', items: COLUMN, itemsOptional: false }),
  optional('comment', { type: 'string' }),
]);

const TABLE_CHANGE = versioned('io.debezium.connector.schema.Change', [
  required('type', { type: 'string' }),
  required('id', { type: 'string' }),
  optional('table', TABLE),
]);

/** Like those of logical messages, in the connector's namespace. */
export function schemaChangeKeySchema(source: ConnectStruct): ConnectStruct {
  return versioned(`${namespaceOf(source)}.SchemaChangeKey`, [required('databaseName', { type: 'string' })]);
}

export function schemaChangeValueSchema(source: ConnectStruct): ConnectStruct {
  return versioned(`${namespaceOf(source)}.SchemaChangeValue`, [
    required('source', source),
    required('ts_ms', { type: 'int64' }),
    optional('databaseName', { type: 'string' }),
    optional('schemaName', { type: 'string' }),
    optional('ddl', { type: 'string' }),
    required('tableChanges', { type: 'array', items: TABLE_CHANGE, itemsOptional: false }),
  ]);
}

function namespaceOf(source: ConnectStruct): string {
  return source.name.slice(0, source.name.lastIndexOf('.'));
}

function versioned(name: string, fields: readonly ConnectField[]): ConnectStruct {
  return { type: 'struct', name, version: 1, fields };
}

function required(name: string, schema: ConnectSchema): ConnectField {
  return { name, schema, optional: false };
}

function optional(name: string, schema: ConnectSchema): ConnectField {
  return { name, schema, optional: true };
}
