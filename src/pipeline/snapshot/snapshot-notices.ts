import type { Notification } from '../../core/notification.ts';
import { isTableDone, type SnapshotProgress, type TableProgress } from '../../core/snapshot-progress.ts';

type Data = Readonly<Record<string, string>>;

/**
 * What Debezium's notifications say of a snapshot. Those of an incremental one have the id of the signal that asked for it;
 * those of an initial one, which a blocking one is too, have an id each.
 */
export class SnapshotNotices {
  readonly #connectorName: string;
  readonly #send: (notification: Notification) => void;

  /** @param connectorName the source's topic prefix. */
  constructor(connectorName: string, send: (notification: Notification) => void) {
    this.#connectorName = connectorName;
    this.#send = send;
  }

  started(progress: SnapshotProgress): void {
    const data = { data_collections: namesOf(tablesOf(progress)) };
    this.#tell(progress, 'STARTED', progress.kind === 'incremental' ? data : {});
    this.#tell(progress, 'DATA_COLLECTIONS_RESOLVED', data);
  }

  /** A round was read. */
  advanced(before: SnapshotProgress, after: SnapshotProgress): void {
    const known = new Map(tablesOf(before).map((each) => [each.table, each]));
    for (const table of tablesOf(after)) {
      const earlier = known.get(table.table);
      if (earlier === undefined || earlier === table) continue;
      if (after.kind === 'incremental') this.#incremental(before, earlier, table);
      else this.#initial(after, earlier, table);
    }
  }

  completed(progress: SnapshotProgress): void {
    this.#tell(progress, 'COMPLETED', {});
  }

  /** @param tables those that are no longer read; null: the snapshot has ended. */
  aborted(progress: SnapshotProgress, tables: readonly string[] | null): void {
    this.#tell(progress, 'ABORTED', tables === null ? {} : { data_collections: tables.join(',') });
  }

  paused(progress: SnapshotProgress): void {
    this.#tell(progress, progress.isPaused ? 'PAUSED' : 'RESUMED', { data_collections: namesOf(unfinished(progress)) });
  }

  /** Nothing is to be read at this start. */
  skipped(): void {
    this.#tell({ kind: 'initial' }, 'SKIPPED', {});
  }

  #incremental(before: SnapshotProgress, earlier: TableProgress, table: TableProgress): void {
    const data_collections = namesOf(unfinished(before));
    for (const [index, { after }] of table.ranges.entries()) {
      if (after === null || after === earlier.ranges[index]?.after) continue;
      this.#tell(before, 'IN_PROGRESS', {
        data_collections,
        current_collection_in_progress: table.table,
        last_processed_key: after.join(','),
        ...(table.estimatedRows === null ? {} : { total_rows: String(Math.max(table.estimatedRows, table.rows)) }),
      });
    }
    if (isTableDone(earlier) || !isTableDone(table)) return;
    this.#tell(before, 'TABLE_SCAN_COMPLETED', {
      data_collections,
      scanned_collection: table.table,
      total_rows: String(table.rows),
      total_rows_scanned: String(table.rows),
      status: table.rows === 0 ? 'EMPTY' : 'SUCCEEDED',
    });
  }

  #initial(progress: SnapshotProgress, earlier: TableProgress, table: TableProgress): void {
    const data_collections = namesOf(tablesOf(progress));
    if (isUntouched(earlier)) {
      this.#tell(progress, 'IN_PROGRESS', { data_collections, current_collection_in_progress: table.table });
    }
    if (isTableDone(earlier) || !isTableDone(table)) return;
    this.#tell(progress, 'TABLE_SCAN_COMPLETED', {
      data_collections,
      scanned_collection: table.table,
      total_rows_scanned: String(table.rows),
      status: 'SUCCEEDED',
    });
  }

  #tell(
    of: Pick<SnapshotProgress, 'kind' | 'signalId'> & { id?: string },
    type: Notification['type'],
    data: Data,
  ): void {
    const isIncremental = of.kind === 'incremental';
    this.#send({
      id: (isIncremental ? (of.signalId ?? of.id) : undefined) ?? crypto.randomUUID(),
      type,
      aggregateType: isIncremental ? 'Incremental Snapshot' : 'Initial Snapshot',
      additionalData: { connector_name: this.#connectorName, ...data },
    });
  }
}

function tablesOf({ tables }: SnapshotProgress): readonly TableProgress[] {
  return tables ?? [];
}

function unfinished(progress: SnapshotProgress): TableProgress[] {
  return tablesOf(progress).filter((table) => !isTableDone(table));
}

function namesOf(tables: readonly TableProgress[]): string {
  return tables.map(({ table }) => table).join(',');
}

function isUntouched({ rows, ranges }: TableProgress): boolean {
  return (
    rows === 0 && ranges.every(({ after, isDone }, index) => !isDone && after === (ranges[index - 1]?.upTo ?? null))
  );
}
