/** What came out of a table. The lists are cut at a limit; `counts` are not. */
export interface TableReport {
  /** `schema.table`. */
  readonly table: string;
  readonly topic: string;
  /**
   * `incomplete`: the topic does not hold all that was written to it any more. `incomparable`: it was never all there.
   * Neither is ever equal, whatever the lists say.
   */
  readonly verdict: 'equal' | 'different' | 'incomplete' | 'incomparable';
  /** Why it is not simply equal or different; null where it is. */
  readonly reason: string | null;
  /** Rows of the table. */
  readonly rows: number;
  /** Keys of rows that the topic lacks, of records that the table lacks, and of both that differ, as their columns. */
  readonly missing: readonly KeyColumns[];
  readonly extra: readonly KeyColumns[];
  readonly different: readonly KeyColumns[];
  readonly counts: FindingCounts;
  /** Keys that changed at every look, so that nothing can be said about them. */
  readonly ignored_in_flight: number;
  /** Rows whose newest record does not carry all their columns: those were not compared. */
  readonly unavailable: number;
  /** Rows that are equal but for a defect that was to be tolerated. */
  readonly tolerated: number;
  /** Rows that `snapshot.where` leaves out and that did not change since: the topic rightly has nothing of them. */
  readonly outside_filter: number;
  /** Records that cannot be read. */
  readonly damaged_records: number;
  /** Rows whose key cannot be published, so that they are in no topic; under no key they are in a list. */
  readonly unpublishable: number;
  /** Keys that differed and were not looked at again, because there were too many; they are among the counts. */
  readonly unexamined: number;
}

export type KeyColumns = Readonly<Record<string, unknown>>;

export interface FindingCounts {
  readonly missing: number;
  readonly extra: number;
  readonly different: number;
}

export interface VerifyReport {
  readonly source: string;
  readonly equal: boolean;
  readonly tables: readonly TableReport[];
}

/** How far the comparison of a table is. */
export interface VerifyProgress {
  readonly table: string;
  readonly phase: 'reading the topic' | 'reading the table' | 'comparing' | 'looking again';
  readonly done: number;
  readonly total: number | null;
}
