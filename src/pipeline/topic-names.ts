import type { TableId } from '../core/table.ts';

const MAX_TOPIC_LENGTH = 249;

/** The names of a source's topics, as Debezium's SchemaTopicNamingStrategy makes them. */
export interface TopicNames {
  data(table: TableId): string;
  readonly transaction: string;
  readonly message: string;
  readonly heartbeat: string;
  /** DDL statements, of databases whose log has them. */
  readonly schemaChange: string;
  /** Ours: changes that could not be published under the policy `dead_letter`. */
  readonly deadLetter: string;
}

export function topicNames(prefix: string): TopicNames {
  return {
    data: (table) => sanitizeTopic(`${prefix}.${table.schema ?? table.database}.${table.name}`),
    transaction: sanitizeTopic(`${prefix}.transaction`),
    message: sanitizeTopic(`${prefix}.message`),
    heartbeat: sanitizeTopic(`__debezium-heartbeat.${prefix}`),
    schemaChange: sanitizeTopic(prefix),
    deadLetter: sanitizeTopic(`${prefix}.dead-letter`),
  };
}

/** Kafka allows `[A-Za-z0-9._-]`, 249 characters, and neither `.` nor `..`. */
export function sanitizeTopic(name: string): string {
  const legal = name.replace(/[^A-Za-z0-9._-]/gu, '_').slice(0, MAX_TOPIC_LENGTH);
  if (legal === '.') return '_';
  if (legal === '..') return '__';
  return legal;
}
