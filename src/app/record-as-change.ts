import type { LiveChange, Row } from '../cli/change-line.ts';
import type { Operation } from '../core/encoder.ts';
import { MESSAGE_TABLE } from './live-changes.ts';
import { textOrBytes } from './message-content.ts';

const OPERATIONS: ReadonlySet<unknown> = new Set<Operation>(['c', 'u', 'd', 'r', 't']);

/** A record of a topic, decoded: Avro's records are objects, everything else is what it is. */
export interface DecodedRecord {
  readonly topic: string;
  readonly timestampMs: number;
  readonly key: unknown;
  readonly value: unknown;
}

/** Whether the change is that of a table; other records carry what they carry in `after`. */
export interface TopicChange extends LiveChange {
  readonly isTableChange: boolean;
}

/**
 * A decoded record as a person reads it. Debezium's envelopes are changes of tables, its logical messages have their
 * content as text; transactions, heartbeats and records of somebody else are shown whole, under the name of the topic.
 */
export function recordAsChange(record: DecodedRecord): TopicChange {
  return envelopeAsChange(record) ?? messageAsChange(record) ?? anythingAsChange(record);
}

function envelopeAsChange({ key, value, timestampMs }: DecodedRecord): TopicChange | null {
  if (!isRow(value) || !OPERATIONS.has(value.op) || !isRow(value.source) || !('before' in value && 'after' in value)) {
    return null;
  }
  const { source } = value;
  return {
    isTableChange: true,
    atMs: timeOf(source.ts_ms, timestampMs),
    op: value.op as Operation,
    table: `${source.schema ?? source.db}.${source.table}`,
    key: isRow(key) ? key : null,
    before: isRow(value.before) ? value.before : null,
    after: isRow(value.after) ? value.after : null,
  };
}

function messageAsChange({ key, value, timestampMs }: DecodedRecord): TopicChange | null {
  if (!isRow(value) || value.op !== 'm' || !isRow(value.source) || !isRow(value.message)) return null;
  const { prefix, content } = value.message;
  return {
    isTableChange: false,
    atMs: timeOf(value.source.ts_ms, timestampMs),
    op: 'm',
    table: MESSAGE_TABLE,
    key: isRow(key) ? key : null,
    before: null,
    after: { prefix, content: content instanceof Uint8Array ? textOrBytes(content) : content },
  };
}

function anythingAsChange({ topic, key, value, timestampMs }: DecodedRecord): TopicChange {
  return {
    isTableChange: false,
    atMs: timestampMs,
    op: 'm',
    table: topic,
    key: isRow(key) ? key : key === null ? null : { key },
    before: null,
    after: isRow(value) ? value : { value },
  };
}

/** A time that no Date can express is not shown as one. */
function timeOf(ms: unknown, otherwise: number): number {
  const number = typeof ms === 'bigint' || typeof ms === 'number' ? Number(ms) : Number.NaN;
  return Number.isNaN(new Date(number).getTime()) ? otherwise : number;
}

function isRow(value: unknown): value is Row {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array);
}
