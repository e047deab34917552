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
