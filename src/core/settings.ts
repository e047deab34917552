import type { Operation } from './encoder.ts';
import type { Secret } from './secret.ts';

/** The whole configuration, validated and resolved: defaults filled in, durations in milliseconds, sizes in bytes. */
export interface Settings {
  readonly kafka: KafkaSettings;
  readonly schemaRegistry: RegistrySettings;
  readonly checkpoint: CheckpointSettings;
  readonly http: HttpSettings;
  readonly log: { readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error' };
  readonly sources: readonly SourceSettings[];
}

export interface KafkaSettings {
  /** `host:port`. */
  readonly brokers: readonly string[];
  readonly tls: TlsSettings | null;
  readonly sasl: SaslSettings | null;
  readonly compression: Compression;
  /** The daemon's budget for bytes sent and not yet acknowledged, over all sources. */
  readonly maxInFlightBytes: number;
  /** How long a record may wait for its acknowledgement before its source is restarted from the checkpoint. */
  readonly deliveryTimeoutMs: number;
  readonly requestTimeoutMs: number;
  /** Topic creation rules; the first whose `match` fits the whole topic name wins. */
  readonly topics: readonly TopicRule[];
}

export type Compression = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd';

export interface TopicRule {
  readonly match: RegExp;
  readonly partitions: number;
  /** -1: the broker's default. */
  readonly replicationFactor: number;
  readonly config: Readonly<Record<string, string>>;
}

/** File contents, already read. */
export interface TlsSettings {
  readonly ca: string | null;
  readonly cert: string | null;
  readonly key: Secret | null;
  readonly verifyHostname: boolean;
}

export type SaslSettings =
  | {
      readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512';
      readonly username: string;
      readonly password: Secret;
    }
  | { readonly mechanism: 'oauthbearer'; readonly token: Secret };

export interface RegistrySettings {
  /** Tried in order; the one that answered last is asked first. */
  readonly urls: readonly string[];
  readonly auth:
    | { readonly kind: 'none' }
    | { readonly kind: 'basic'; readonly username: string; readonly password: Secret }
    | { readonly kind: 'bearer'; readonly token: Secret };
  readonly tls: TlsSettings | null;
  readonly requestTimeoutMs: number;
  readonly onIncompatible: 'fail' | 'dead_letter' | 'register_anyway';
  readonly subjectNaming: 'topic_name' | 'record_name' | 'topic_record_name';
}

export type CheckpointSettings =
  | { readonly store: 'kafka'; readonly topic: string; readonly intervalMs: number }
  | { readonly store: 'file'; readonly path: string; readonly intervalMs: number };

export interface HttpSettings {
  readonly host: string;
  readonly port: number;
  /** PEM; null: plain HTTP. */
  readonly tls: { readonly cert: string; readonly key: Secret } | null;
  /** Empty only where `host` is the loopback: then nobody has to say who they are. */
  readonly tokens: readonly HttpToken[];
}

export interface HttpToken {
  readonly name: string;
  readonly role: 'read' | 'operate';
  /** Hexadecimal. Nobody has to read it to use the API, and a short token could be guessed from it. */
  readonly sha256: Secret;
}

/** One source. What only its connector understands is in `connector`, which the connector itself validates. */
export interface SourceSettings {
  readonly name: string;
  readonly type: string;
  readonly topicPrefix: string;
  readonly tables: { readonly include: readonly RegExp[]; readonly exclude: readonly RegExp[] };
  readonly columns: ColumnRules;
  /** First match wins; `table` is matched against the whole qualified name. */
  readonly messageKeys: readonly { readonly table: RegExp; readonly columns: readonly string[] }[];
  readonly snapshot: SnapshotSettings;
  readonly signals: SignalSettings;
  readonly notifications: NotificationSettings;
  readonly heartbeatIntervalMs: number;
  /** Whether heartbeat records are published to `__debezium-heartbeat.<prefix>`. */
  readonly heartbeatTopic: boolean;
  readonly extendedHeaders: boolean;
  readonly tombstonesOnDelete: boolean;
  readonly transactionMetadata: boolean;
  readonly skippedOperations: ReadonlySet<Operation>;
  readonly onPoison: 'fail' | 'dead_letter';
  readonly schemaNameAdjustment: NameAdjustment;
  readonly fieldNameAdjustment: NameAdjustment;
  readonly unavailablePlaceholder: string;
  /**
   * The settings that only the connector knows, for `SourceConnector.parseConfig`: as written, environment expanded, secrets
   * as `Secret`s, a duration `timeout: 5s` as `timeout_ms: 5000`.
   */
  readonly connector: Readonly<Record<string, unknown>>;
}

/** What is read of the rows that are already in the tables. */
export interface SnapshotSettings {
  readonly mode: 'always' | 'initial' | 'initial_only' | 'no_data' | 'never' | 'when_needed';
  /** Whether the stream rests while tables are read, so that their rows come first. */
  readonly blocking: boolean;
  /** Whether a resync deletes from the topics what it does not meet in the tables. */
  readonly deletePass: boolean;
  /** The most rows of a chunk. */
  readonly chunkRows: number;
  /** Readers at the same time. */
  readonly parallelism: number;
  /** SQL conditions; the first whose `table` matches the qualified name counts. */
  readonly where: readonly { readonly table: RegExp; readonly filter: string }[];
}

/** Where an operator's signals come from; null where not from there. */
export interface SignalSettings {
  /** Qualified name of the table whose new rows are signals. */
  readonly table: string | null;
  readonly topic: string | null;
}

/** Where it is told how snapshots get on; null: nowhere. */
export interface NotificationSettings {
  readonly topic: string | null;
}

/** Debezium's `schema.name.adjustment.mode` and `field.name.adjustment.mode`. */
export type NameAdjustment = 'none' | 'avro' | 'avro_unicode';

/** Each `match` is an anchored regular expression on `schema.table.column`. */
export interface ColumnRules {
  readonly exclude: readonly RegExp[];
  readonly mask: readonly { readonly match: RegExp; readonly with: string }[];
  readonly hash: readonly { readonly match: RegExp; readonly algorithm: string; readonly salt: Secret }[];
  readonly truncate: readonly { readonly match: RegExp; readonly length: number }[];
  /** Columns whose declared type is written into the schema's parameters. */
  readonly propagateSourceType: readonly RegExp[];
}

/** The signal table is captured whatever the patterns say, as in Debezium. */
export function capturesTable(source: SourceSettings, qualifiedTable: string): boolean {
  const { include, exclude } = source.tables;
  if (qualifiedTable === source.signals.table) return true;
  if (include.length > 0 && !include.some((pattern) => pattern.test(qualifiedTable))) return false;
  return !exclude.some((pattern) => pattern.test(qualifiedTable));
}
