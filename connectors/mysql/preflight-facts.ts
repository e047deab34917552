import type { ServerFacts } from './server-facts.ts';
import type { SignalTableFacts } from './signal-table-facts.ts';

/** What the checks look at. */
export interface PreflightFacts {
  readonly server: ServerFacts;
  /** As SHOW GRANTS prints them. */
  readonly grants: readonly string[];
  /** Ids of the replicas that are connected. */
  readonly replicaIds: readonly number[];
  /** Whether large compressed and prepared transactions find a place to wait in. */
  readonly hasTemporaryFiles: boolean;
  /** Tables that the source would capture. */
  readonly tables: readonly CapturedTable[];
  /** Null where the source has none. */
  readonly signalTable: SignalTableFacts | null;
}

export interface CapturedTable {
  /** `database.table` */
  readonly name: string;
  readonly database: string;
  readonly table: string;
  readonly engine: string;
  readonly hasKey: boolean;
}
