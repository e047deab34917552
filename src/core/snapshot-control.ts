import type { OperationOutcome } from './operation-outcome.ts';
import type { SnapshotProgress } from './snapshot-progress.ts';
import type { SnapshotStatus } from './snapshot-status.ts';

/** SQL for a WHERE clause on the tables whose qualified name matches. */
export interface TableFilter {
  readonly table: RegExp;
  readonly filter: string;
}

/** An ad-hoc snapshot that an operator asks for. */
export interface SnapshotRequest {
  /** Anchored patterns on the qualified name of a table; null: every captured table. */
  readonly tables: readonly RegExp[] | null;
  /** SQL for a WHERE clause on each of the tables; null: all rows. */
  readonly where: string | null;
  /** Patterns of tables that are left out. */
  readonly without?: readonly RegExp[];
  /** For single tables, where `where` is null; the first that matches counts. */
  readonly filters?: readonly TableFilter[];
  /** Whether the stream rests while the tables are read. */
  readonly isBlocking?: boolean;
  /** Incremental where it is not said; decides what source blocks and notifications say. */
  readonly kind?: SnapshotProgress['kind'];
  /** The signal that asks for it. */
  readonly signalId?: string;
}

/**
 * How a running source's snapshots are controlled. A runner hands it to its supervisor with `RunObserver.snapshots` once
 * its stream is open, also where no snapshot is under way; the supervisor forgets it when the attempt ends. Calls may come
 * at any time while the stream flows, never two operations at once, and each answers as soon as its effect is certain:
 * it does not wait for rows.
 *
 * Refusals that every implementation gives:
 * - `start`: `SNAPSHOT_RUNNING` (conflict) while another is under way, paused or not; `SNAPSHOT_NO_TABLE` (invalid, field
 *   `tables`) where no captured table matches; `SNAPSHOT_FILTER_INVALID` (invalid, field `where`) where the database says
 *   that the filter is no condition of a table.
 * - `pause`, `resume`, `stop`: `SNAPSHOT_NOT_RUNNING` (conflict) where none is under way; `resume` also
 *   `SNAPSHOT_NOT_PAUSED` (conflict). Pausing a paused one changes nothing and is no refusal.
 *
 * A pause and a stop take effect between two rounds and outlive restarts of the source; a stop leaves the rows that were
 * published and ends the snapshot for good.
 */
export interface SnapshotControl {
  start(request: SnapshotRequest): Promise<OperationOutcome<SnapshotStatus>>;
  /** The snapshot that is under way, else the last one of this attempt, else null. Costs no I/O. */
  status(): SnapshotStatus | null;
  pause(): Promise<OperationOutcome<SnapshotStatus>>;
  resume(): Promise<OperationOutcome<SnapshotStatus>>;
  /** @param tables patterns of the tables that are no longer read; without them the whole snapshot ends. */
  stop(tables?: readonly RegExp[]): Promise<OperationOutcome<SnapshotStatus>>;
}
