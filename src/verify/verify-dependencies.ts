import type { ComparableTexts } from '../avro/comparable-schema.ts';
import type { RowEncoder } from '../avro/row-encoder.ts';
import type { Clock } from '../core/clock.ts';
import type { SnapshotReader } from '../core/snapshot.ts';
import type { TableId, TableVersion } from '../core/table.ts';
import type { VerifyProgress } from './report.ts';
import type { SchemaById, TopicSource } from './topic-source.ts';

/** A position of the source's connector, and its text. */
export interface PublishedPosition {
  readonly text: string;
  readonly position: unknown;
}

export interface VerifyDependencies {
  readonly reader: SnapshotReader<unknown>;
  readonly topics: TopicSource;
  readonly schemaById: SchemaById;
  readonly clock: Clock;
  topicOf(table: TableId): string;
  /** SQL condition on the rows that a snapshot reads; null where it reads all. */
  filterOf(table: TableId): string | null;
  /** Up to where everything is published, as the source's checkpoint has it; null where it has none. */
  publishedUpTo(signal: AbortSignal): Promise<PublishedPosition | null>;
  /** Encodes rows of a version as the pipeline publishes them. */
  createEncoder(version: TableVersion): RowEncoder;
  /** Rewrites texts on both sides before they are compared. */
  readonly texts: ComparableTexts;
  readonly tolerate: 'debezium' | null;
  /** For hashes and tables; the process takes about 100 MiB beside. */
  readonly memoryBytes: number;
  /** How many keys each list of a report holds. */
  readonly listedKeys: number;
  /** How long nothing may become equal before what differs is read again, the first time and later. */
  readonly patienceMs: number;
  readonly patienceAgainMs: number;
  notice(text: string): void;
  progress(progress: VerifyProgress): void;
}
