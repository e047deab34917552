import type { ChangeBatch } from './change-batch.ts';
import type { Checkpoint } from './checkpoint.ts';
import type { Clock } from './clock.ts';
import type { Logger } from './logger.ts';
import type { Metrics } from './metrics.ts';
import type { SchemaStore } from './schema-store.ts';
import type { Secret } from './secret.ts';
import type { SourceSettings } from './settings.ts';
import type { SnapshotReader } from './snapshot.ts';
import type { SourceBlock } from './source-block.ts';
import type { ColumnCodec } from './table.ts';

/** Everything the daemon needs of a kind of database. One object per `connectors/<db>/index.ts`. */
export interface SourceConnector<C extends ConnectorConfig, P> {
  readonly type: string;
  /** Debezium's name of the connector, which is in every source block. */
  readonly connectorName: string;
  readonly positions: PositionCodec<P>;
  /** Validates `source.connector`, the part of the configuration that only this connector knows. */
  parseConfig(source: SourceSettings): ParsedConfig<C>;
  /** Looks at the source without changing it. Every problem has a remedy. */
  preflight(config: C, dependencies: ConnectorDependencies, signal: AbortSignal): Promise<readonly Finding[]>;
  open(config: C, dependencies: ConnectorDependencies, signal: AbortSignal): Promise<SourceSession<P>>;
  /**
   * Opens what reads whole tables, beside a session of the same source or without one.
   * Missing where a connector does not have it.
   */
  openSnapshotReader?(config: C, dependencies: ConnectorDependencies, signal: AbortSignal): Promise<SnapshotReader<P>>;
  /** Drops what the daemon created on the source (slot, publication). Idempotent; stopping never does this. */
  teardown(config: C, dependencies: ConnectorDependencies, signal: AbortSignal): Promise<void>;
  /**
   * Live changes from now on, without checkpoint and for nobody but the caller: what it needs on the source is gone once
   * the stream is disposed. Values are written for people. Missing where a connector does not have it.
   */
  openTail?(target: TailTarget, dependencies: ConnectorDependencies, signal: AbortSignal): Promise<ChangeStream<P>>;
}

export interface TailTarget {
  readonly url: Secret;
  /** Anchored patterns on the qualified name of a table; empty: every table. */
  readonly tables: readonly RegExp[];
}

/** What a connector parsed; the settings that mean the same for every database stay beside it. */
export interface ConnectorConfig {
  readonly source: SourceSettings;
}

export type ParsedConfig<C> =
  | { readonly ok: true; readonly value: C }
  | { readonly ok: false; readonly problems: readonly ConfigProblem[] };

export interface ConfigProblem {
  /** Path inside the source's section, e.g. `slot.autocreate`. */
  readonly path: string;
  readonly message: string;
}

export interface Finding {
  readonly check: string;
  readonly severity: 'ok' | 'warning' | 'error';
  readonly problem: string;
  readonly remedy: string;
}

export interface PositionCodec<P> {
  encode(position: P): string;
  /** Throws a FatalError for text that `encode` never gives. */
  decode(text: string): P;
  /** Text that compares with `StoredVersion.since` as the log does: versions before it may be needed by nobody but the newest. */
  sortKey(position: P): string;
}

export type ResumeVerdict<P> =
  | { readonly kind: 'fresh' }
  | { readonly kind: 'resume'; readonly from: P }
  | { readonly kind: 'resync-required'; readonly code: string; readonly reason: string; readonly remedy: string };

export interface ConnectorDependencies {
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly clock: Clock;
}

/**
 * One attempt to run a source, from connecting to the end of its stream. Calls come in this order:
 * `claim`, `assessResume`, then `initialise` (verdict fresh) or nothing (resume), then `stream`.
 */
export interface SourceSession<P> extends AsyncDisposable {
  /** System identifier and timeline, or server UUID: a checkpoint made elsewhere must not be used here. */
  readonly serverIdentity: string;
  readonly sourceBlock: SourceBlock;
  /** Codec for the raw bytes of a logical message, by the source's binary handling mode. */
  readonly messageContent: ColumnCodec;
  /** Resolves once no other process reads this source's log in our name; waits while a live owner does. */
  claim(signal: AbortSignal): Promise<void>;
  assessResume(checkpoint: Checkpoint | null): Promise<ResumeVerdict<P>>;
  /**
   * Creates what streaming needs (slot, publication), dropping a half-made one first; returns where the stream starts.
   * What `schemas` must hold of that moment is stored when it resolves: the process may end before it streams.
   */
  initialise(schemas: SchemaStore, signal: AbortSignal): Promise<P>;
  /** `schemas` decides which version of a table a replayed change belongs to. */
  stream(from: P, schemas: SchemaStore, signal: AbortSignal): Promise<ChangeStream<P>>;
  /**
   * Asks the server whether this session still owns the log, for a process that stood still and may have been overtaken.
   * @throws TransientError where it does not: another attempt waits for its turn.
   */
  confirmOwnership(signal: AbortSignal): Promise<void>;
  /**
   * The end of the log now, once the stream is open: where `sortKey` of what a stream gives as `resumeAt` is not before
   * that of this position, everything that was committed by now has been emitted. An idle log comes to it by itself.
   */
  readHead(signal: AbortSignal): Promise<P>;
  /** Facts for status and metrics; never called concurrently with itself. */
  readHealth(signal: AbortSignal): Promise<SourceHealth>;
}

export interface SourceHealth {
  /**
   * True where the server's log had something at the last look that has not arrived by this one: the server is still
   * reading through it, and silence does not mean that there is nothing to come.
   */
  readonly isBehind: boolean;
  readonly retainedWalBytes: number | null;
  /** Free-form facts for the log and the status page, such as `wal_status`. */
  readonly facts: Readonly<Record<string, string | number | boolean | null>>;
}

/**
 * Batches of changes in log order. Pulling is the back-pressure: while nobody asks for the next batch, reading stops once
 * a bounded buffer is full (liveness messages to the server go on).
 */
export interface ChangeStream<P> extends AsyncIterable<ChangeBatch<P>>, AsyncDisposable {
  /** Everything up to `position` is durable in Kafka and in the checkpoint: the source may forget it. */
  acknowledge(position: P): void;
  /**
   * Ends the iteration: no batch is given after this call returns. The connection stays open for `acknowledge` until the
   * stream is disposed, which sends what was acknowledged last.
   */
  end(): void;
  /** Wall clock of the last sign of life from the server, milliseconds since 1970. */
  readonly lastHeardAtMs: number;
}
