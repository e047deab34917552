import type { Finding } from '../core/connector.ts';
import type { Settings } from '../core/settings.ts';
import type { VerifyProgress, VerifyReport } from '../verify/report.ts';
import type { LiveChange } from './change-line.ts';

/** What `src/app.ts` offers to the commands. Every method rejects with a TailraceError when it knows the remedy. */
export interface Application {
  /**
   * Runs until SIGINT or SIGTERM, which it handles itself: the first stops gracefully, the second cuts the stop short.
   * Resolves with the exit code of the process.
   */
  runDaemon(settings: Settings, options: RunOptions, streams: Streams): Promise<number>;
  /** Looks at everything the daemon will need without changing it. */
  checkAll(settings: Settings, options: CheckOptions): Promise<readonly NamedFinding[]>;
  /** The saved checkpoint as plain JSON, or null when there is none. */
  showCheckpoint(settings: Settings, sourceName: string): Promise<object | null>;
  /**
   * Lets the next start go on at `position`; resolves with it as it is stored. This and the next two reject while the source
   * runs.
   */
  setCheckpoint(settings: Settings, sourceName: string, position: string): Promise<string>;
  /** Everything that is stored for the source as one document, or null when nothing is. */
  exportCheckpoint(settings: Settings, sourceName: string): Promise<string | null>;
  /** Replaces everything that is stored for the source. `origin` says in messages where the text is from. */
  importCheckpoint(settings: Settings, sourceName: string, text: string, origin: string): Promise<void>;
  /** Live changes of a database on a temporary slot; leaves nothing behind. Resolves when `options.signal` aborts. */
  tailDatabase(url: string, options: TailOptions, emit: (change: LiveChange) => void): Promise<void>;
  /** Live records of one topic from its end on. Resolves when `options.signal` aborts. */
  tailTopic(settings: Settings, topic: string, options: TailOptions, emit: (change: LiveChange) => void): Promise<void>;
  /** Compares the topics of a source with its tables; rejects with the signal's reason when it is aborted. */
  verifySource(settings: Settings, sourceName: string, options: VerifyOptions): Promise<VerifyReport>;
  /** Drops slot and publication of a source. Rejects while the source runs. */
  teardown(settings: Settings, sourceName: string): Promise<void>;
}

export interface RunOptions {
  /** Names of the sources to run; every source when missing. The commands have checked that they exist. */
  readonly sources?: readonly string[];
  /** Stop with exit code 0 once everything committed before the start is published and checkpointed. */
  readonly untilCaughtUp: boolean;
  /** With `untilCaughtUp`: one JSON object on standard output at the end, `{ sources: [RunSummary…] }`. */
  readonly json: boolean;
}

/** What a source came to that ran until it had caught up. */
export interface RunSummary {
  readonly source: string;
  readonly state: 'caught-up' | 'resync-required' | 'failed' | 'stopped';
  /** Acknowledged by Kafka in this run. */
  readonly changes: number;
  /** The last one that was checkpointed. */
  readonly position: string | null;
  /** From the start of the process until that was known. */
  readonly duration_seconds: number;
  readonly error: { readonly code: string; readonly message: string; readonly remedy: string } | null;
}

export interface CheckOptions {
  readonly sources?: readonly string[];
}

export interface TailOptions {
  /** Anchored patterns on `schema.table`; empty means every table. */
  readonly tables: readonly RegExp[];
  readonly signal: AbortSignal;
  /** Says something to the user that is not a change: that the tail is ready, what it cannot show. */
  notice(text: string): void;
}

export interface VerifyOptions {
  /** Anchored patterns on `schema.table`; empty means every captured table. */
  readonly tables: readonly RegExp[];
  /** Whose defects are not to count as differences. */
  readonly tolerate: 'debezium' | null;
  readonly memoryBytes: number;
  readonly signal: AbortSignal;
  notice(text: string): void;
  progress(progress: VerifyProgress): void;
}

/** `subject`: a source's name, `kafka`, `schema registry` or `checkpoint`. */
export interface NamedFinding extends Finding {
  readonly subject: string;
}

export interface Streams {
  readonly stdout: NodeJS.WritableStream;
  readonly stderr: NodeJS.WritableStream;
}
