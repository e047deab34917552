import type { ConnectorConfig, SourceConnector } from '../../../src/core/connector.ts';

/** What the suite needs to know of a kind of database: all that a new connector writes to be tested by it. */
export interface ConformanceServer {
  /** As people call it. */
  readonly name: string;
  readonly connector: SourceConnector<ConnectorConfig, unknown>;
  /** A database of its own for one test, empty, on the real server. */
  createDatabase(): Promise<ConformanceDatabase>;
}

export interface ConformanceDatabase extends AsyncDisposable {
  /** With the account that a source uses: it may do what the connector's README grants, and no more. */
  readonly url: string;
  /** `database.table` or `schema.table`, as topics and patterns name it. */
  qualified(table: string): string;
  /** The connector's own settings of a source of this name, `url` and what makes it unique among others. */
  settings(source: string): Readonly<Record<string, unknown>>;
  /** A type for large text, and bytes that one value of it may have as the server is set up. */
  readonly largeText: { readonly type: string; readonly maxBytes: number };
  /** Runs statements one after the other, always on the same connection. Text is UTF-8; `BEGIN` opens a transaction. */
  run(...statements: readonly string[]): Promise<void>;
  /** What a reader could have made or changed on the server, in any form that compares. */
  traces(): Promise<unknown>;
  /** Writes and commits something that is not in this database. */
  writeElsewhere(): Promise<void>;
  /** From now on until it is disposed the server gives a reader up that takes nothing for `patienceMs`. */
  becomeImpatient(): Promise<AsyncDisposable & { readonly patienceMs: number }>;
  /** Ways in which the server can lose the log that a stopped source needs next. */
  readonly losses: readonly LogLoss[];
}

export interface LogLoss {
  /** Completes "a log that is gone because …". */
  readonly because: string;
  /** `position` is the source's checkpoint; @returns the checkpoint that it has afterwards, mostly the same. */
  happen(source: string, position: string): Promise<string>;
}
