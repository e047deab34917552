import type { PublicationFacts, PublicationMember } from './publication.ts';
import type { PublishableTable } from './publishable-tables.ts';

/**
 * What the publications were like when the stream last looked, kept beside the checkpoint. A publication that was dropped
 * and made again in between looks the same and has lost changes; its OIDs tell.
 */
export interface CoverageRecord {
  readonly publications: readonly RecordedPublication[];
  /** Moves that the source was about to make: whether it came to them is seen at the next look. */
  readonly moves?: readonly RecordedMove[];
}

/** A table's move from one publication to another, in one transaction. */
export interface RecordedMove {
  readonly table: number;
  readonly from: string;
  readonly to: string;
}

export interface RecordedPublication {
  readonly name: string;
  readonly oid: number;
  readonly allTables: boolean;
  readonly operations: string;
  readonly viaRoot: boolean;
  readonly members: readonly (Omit<PublicationMember, 'bySchema'> & { readonly table: number })[];
}

/** What is worth keeping: publications and the captured tables in them, in a stable order, and what is about to change. */
export function recordCoverage(
  publications: readonly PublicationFacts[],
  tables: readonly PublishableTable[],
  moves: readonly RecordedMove[] = [],
): CoverageRecord {
  const captured = new Set(tables.map((table) => table.oid));
  return {
    publications: [...publications]
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .map(({ name, oid, allTables, operations, viaRoot, members }) => ({
        name,
        oid,
        allTables,
        operations,
        viaRoot,
        members: [...members]
          .filter(([table]) => captured.has(table))
          .sort(([a], [b]) => a - b)
          .map(([table, { membership, rowFilter, columns }]) => ({ table, membership, rowFilter, columns })),
      })),
    ...(moves.length === 0 ? {} : { moves }),
  };
}

/**
 * Captured tables of which something is not published. With `byIdentity`, updates and deletes count only where Postgres
 * can publish them; without, any publication of a table is taken to be what its owner wants.
 */
export function uncoveredTables(
  publications: readonly PublicationFacts[],
  tables: readonly PublishableTable[],
  byIdentity: boolean,
): readonly PublishableTable[] {
  return tables.filter((table) => {
    const needsUpdates = byIdentity && table.hasIdentity;
    const holders = publications.filter((publication) => !needsUpdates || publication.operations.includes('u'));
    return !holders.some((publication) => publishes(publication, table));
  });
}

/** Tables of which Postgres refuses the application's UPDATE or DELETE, because these are published. */
export function refusedTables(
  publications: readonly PublicationFacts[],
  tables: readonly PublishableTable[],
): readonly PublishableTable[] {
  const ofUpdates = publications.filter(({ operations }) => operations.includes('u') || operations.includes('d'));
  return tables.filter(
    (table) =>
      !table.isPartitioned && !table.hasIdentity && ofUpdates.some((publication) => publishes(publication, table)),
  );
}

/** Whether the table is in the publication, itself or by a partitioned table above it. */
export function publishes(publication: PublicationFacts, table: PublishableTable): boolean {
  return publication.allTables || [table.oid, ...table.ancestors].some((oid) => publication.members.has(oid));
}

/**
 * Finds how changes may have been left out since `before` was known. Pure.
 * @returns what happened, in words, or null where nothing was lost.
 */
export function findLostCoverage(
  before: CoverageRecord,
  publications: readonly PublicationFacts[],
  tables: readonly PublishableTable[],
): string | null {
  const captured = new Map(tables.map((table) => [table.oid, table]));
  for (const known of before.publications) {
    const now = publications.find((publication) => publication.name === known.name);
    if (now === undefined) return `the publication "${known.name}" was dropped`;
    if (now.oid !== known.oid) return `the publication "${known.name}" was dropped and created again`;
    if (known.allTables && !now.allTables) return `the publication "${known.name}" no longer has all tables`;
    if (known.viaRoot !== now.viaRoot) return `publish_via_partition_root of "${known.name}" was changed`;
    const lost = [...known.operations].filter((operation) => !now.operations.includes(operation));
    if (lost.length > 0) return `the publication "${known.name}" publishes fewer operations (lacks ${lost.join(', ')})`;
    for (const member of known.members) {
      const table = captured.get(member.table);
      // A table that was dropped, or is no longer captured, has nothing to lose.
      if (table === undefined) continue;
      const current = now.members.get(member.table);
      if (current === undefined && wasMoved(before, known.name, publications, table)) continue;
      const what = `the table ${table.schema}.${table.name} in the publication "${known.name}"`;
      if (current === undefined) return `${what} was removed`;
      if (current.membership !== member.membership) return `${what} was removed and added again`;
      if (current.rowFilter !== member.rowFilter) return `${what} has another row filter`;
      if (JSON.stringify(current.columns) !== JSON.stringify(member.columns)) return `${what} has another column list`;
    }
  }
  return null;
}

/** Whether a table that is no longer in the publication `from` is where the source was about to move it. */
function wasMoved(
  before: CoverageRecord,
  from: string,
  publications: readonly PublicationFacts[],
  table: PublishableTable,
): boolean {
  const move = before.moves?.find((planned) => planned.table === table.oid && planned.from === from);
  const target = publications.find(({ name }) => name === move?.to);
  return target !== undefined && publishes(target, table);
}
