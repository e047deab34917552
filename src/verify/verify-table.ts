import { TailraceError, TransientError } from '../core/errors.ts';
import type { SnapshotTable } from '../core/snapshot.ts';
import { qualifiedName } from '../core/table.ts';
import type { KeyFinding } from './finding.ts';
import { KeyNames } from './key-names.ts';
import type { FindingCounts, KeyColumns, TableReport } from './report.ts';
import { type Comparison, TableAlteredError, TableVerification } from './table-verification.ts';
import type { TopicExtent } from './topic-source.ts';
import type { VerifyDependencies } from './verify-dependencies.ts';

/** A table that is altered, or a daemon that is far behind, is begun with again as often. */
const MOST_ATTEMPTS = 3;
/** Kafka's answer where records were deleted before they were read. */
const LOG_CUT = 'KAFKA_LOG_CUT';

/**
 * Compares what the records of a topic add up to with the rows of its table.
 * @throws TransientError where the table is altered again and again
 */
export async function verifyTable(
  table: SnapshotTable,
  dependencies: VerifyDependencies,
  signal: AbortSignal,
): Promise<TableReport> {
  const topic = dependencies.topicOf(table.id);
  for (let attempt = 1; ; attempt++) {
    const extent = await dependencies.topics.describe(topic, signal);
    await using verification = new TableVerification(table, extent, dependencies);
    try {
      const comparison = await verification.compare(signal);
      const tooMany = Object.values(comparison.unexamined).some((count) => count > 0);
      // All that was looked at again had only been on its way: so may be the rest.
      if (tooMany && comparison.open.confirmed.length === 0 && attempt < MOST_ATTEMPTS) continue;
      return await report(table, topic, extent, comparison, dependencies, signal);
    } catch (error) {
      if (error instanceof TailraceError && error.code === LOG_CUT) return cutReport(table, topic, error);
      if (!(error instanceof TableAlteredError)) throw error;
      if (attempt === MOST_ATTEMPTS) throw alteredError(table, error);
    }
  }
}

async function report(
  table: SnapshotTable,
  topic: string,
  extent: TopicExtent | null,
  comparison: Comparison,
  dependencies: VerifyDependencies,
  signal: AbortSignal,
): Promise<TableReport> {
  const { open, states, unexamined, encoder, isKeyless } = comparison;
  const { topics, schemaById, listedKeys } = dependencies;
  const names = new KeyNames(topic, topics, schemaById, encoder, isKeyless);
  const counts: Record<keyof FindingCounts, number> = { ...unexamined };
  const listed: Record<keyof FindingCounts, KeyColumns[]> = { missing: [], extra: [], different: [] };
  for (const finding of open.confirmed) {
    counts[finding.kind] += finding.copies;
    await list(finding, listed[finding.kind]);
  }
  const total = counts.missing + counts.extra + counts.different + comparison.unpublishable;
  const { verdict, reason } = judge(total > 0, extent, comparison);
  return {
    table: qualifiedName(table.id),
    topic,
    verdict,
    reason,
    rows: comparison.rows,
    ...listed,
    counts,
    ignored_in_flight: open.size,
    unavailable: comparison.partial + open.partial,
    tolerated: comparison.tolerated,
    outside_filter: comparison.outside,
    damaged_records: states.damaged,
    unpublishable: comparison.unpublishable,
    unexamined: unexamined.missing + unexamined.extra + unexamined.different,
  };

  async function list(finding: KeyFinding, into: KeyColumns[]): Promise<void> {
    for (let copy = 0; copy < finding.copies && into.length < listedKeys; copy++) {
      into.push(copy === 0 ? await names.columnsOf(finding, signal) : into.at(-1)!);
    }
  }
}

function judge(
  isDifferent: boolean,
  extent: TopicExtent | null,
  { states }: Comparison,
): Pick<TableReport, 'verdict' | 'reason'> {
  const cut = extent?.forgets === true ? extent.partitions.find(({ start }) => start > 0) : undefined;
  if (cut !== undefined) {
    const reason = `partition ${cut.partition} begins at offset ${cut.start}: what was written before was deleted`;
    return { verdict: 'incomplete', reason };
  }
  if (states.untold > 0) {
    const reason = `${states.untold} changes do not carry the row that they replaced: of a table without key they have to`;
    return { verdict: 'incomparable', reason };
  }
  if (states.blind > 0) {
    return { verdict: 'incomparable', reason: `${states.blind} records that may be about any row cannot be read` };
  }
  return { verdict: isDifferent ? 'different' : 'equal', reason: null };
}

function cutReport(table: SnapshotTable, topic: string, { message }: TailraceError): TableReport {
  return {
    table: qualifiedName(table.id),
    topic,
    verdict: 'incomplete',
    reason: message,
    rows: 0,
    missing: [],
    extra: [],
    different: [],
    counts: { missing: 0, extra: 0, different: 0 },
    ignored_in_flight: 0,
    unavailable: 0,
    tolerated: 0,
    outside_filter: 0,
    damaged_records: 0,
    unpublishable: 0,
    unexamined: 0,
  };
}

function alteredError(table: SnapshotTable, cause: TableAlteredError): TransientError {
  return new TransientError(cause.message, {
    code: 'VERIFY_TABLE_ALTERED',
    remedy: 'Verify again when its columns stay as they are for as long as that takes.',
    table: qualifiedName(table.id),
    cause,
  });
}
