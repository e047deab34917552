import type { RecordHeader } from '../core/sink.ts';

export const UNAVAILABLE_COLUMNS_HEADER = '__tailrace.unavailable_columns';

/** The headers that every data record of a run carries when `extended_headers` is on: Debezium's, in its order. */
export function contextHeaders(topicPrefix: string, connectorName: string, runId: string): readonly RecordHeader[] {
  return [
    textHeader('__debezium.context.connectorLogicalName', topicPrefix),
    textHeader('__debezium.context.taskId', '0'),
    textHeader('__debezium.context.connectorName', connectorName),
    textHeader('__debezium.context.runId', runId),
  ];
}

/** On the delete and the tombstone of a key change: where the row went. */
export function newKeyHeader(keyJson: string): RecordHeader {
  return textHeader('__debezium.newkey', keyJson);
}

/** On the create of a key change: where the row came from. */
export function oldKeyHeader(keyJson: string): RecordHeader {
  return textHeader('__debezium.oldkey', keyJson);
}

/** Names the columns whose placeholder stands for an unchanged value that the log did not carry. */
export function unavailableColumnsHeader(columns: readonly string[]): RecordHeader {
  return textHeader(UNAVAILABLE_COLUMNS_HEADER, JSON.stringify(columns));
}

function textHeader(name: string, text: string): RecordHeader {
  return { name, value: Buffer.from(text, 'utf8') };
}
