import type { PublicationFacts, PublicationMember } from './publication.ts';
import { publishes, refusedTables, uncoveredTables } from './publication-coverage.ts';
import type { PublishableTable } from './publishable-tables.ts';

/** The two publications of `slot.autocreate: filtered`, by name. */
export interface PublicationPair {
  /** Everything of tables with a usable replica identity. */
  readonly updates: string;
  /** Inserts and truncates of the others. */
  readonly inserts: string;
}

/** A table that is to be added to the publication `to`, taken out of `from`, or both at once. */
export interface PublicationChange {
  /**
   * `added`: nothing of it was published. `detached`: it was by way of a table above it, which is about to be moved. `lost`,
   * `gained`: its replica identity.
   */
  readonly kind: 'added' | 'detached' | 'lost' | 'gained';
  readonly table: PublishableTable;
  readonly from: string | null;
  readonly to: string;
  /** `to` publishes it already. */
  readonly isThere: boolean;
  /** OID of the membership whose row filter and column list the new one takes over. */
  readonly like: number | null;
}

export interface PublicationProblem {
  /**
   * `uncovered`: it is configured and not published. `refused`: Postgres refuses UPDATE and DELETE of it. `kept`: its
   * updates could be captured, and are not.
   */
  readonly kind: 'uncovered' | 'refused' | 'kept';
  readonly table: PublishableTable;
}

export interface PublicationPlan {
  /** In the order in which no change of a table is left out, whatever fails in between. */
  readonly changes: readonly PublicationChange[];
  /** What is left when all changes are made: the role may not, or somebody has to decide. */
  readonly problems: readonly PublicationProblem[];
}

/**
 * What the source does to its own two publications: each member is where its replica identity allows it to be, and each
 * captured table is a member. Pure.
 * @param tables every table of the database: one that is no longer captured, but still a member, must not be refused.
 */
export function planPublications(
  publications: readonly PublicationFacts[],
  tables: readonly PublishableTable[],
  captured: readonly PublishableTable[],
  pair: PublicationPair,
): PublicationPlan {
  const before = publications.find(({ name }) => name === pair.updates);
  const inserts = publications.find(({ name }) => name === pair.inserts);
  if (before === undefined || inserts === undefined) return { changes: [], problems: [] };
  const mayAlter = before.owned && inserts.owned;

  const losing: PublicationChange[] = [];
  for (const table of tables) {
    const member = before.members.get(table.oid);
    if (table.hasIdentity || member === undefined || member.bySchema || !mayAlter) continue;
    const there = inserts.members.get(table.oid);
    if (there === undefined ? !table.owned : !isWhole(there)) continue;
    const like = there === undefined && !isWhole(member) ? member.membership : null;
    losing.push({ kind: 'lost', table, from: pair.updates, to: pair.inserts, isThere: there !== undefined, like });
  }
  const updates = without(before, losing);

  const gaining: PublicationChange[] = [];
  const problems: PublicationProblem[] = [];
  for (const table of tables) {
    const member = inserts.members.get(table.oid);
    if (!table.hasIdentity || member === undefined || member.bySchema) continue;
    const isThere = publishes(updates, table);
    if (isThere && !publishesWhole(updates, table)) continue;
    if (mayAlter && (isThere || (table.owned && isWhole(member)))) {
      gaining.push({ kind: 'gained', table, from: pair.inserts, to: pair.updates, isThere, like: null });
    } else if (!isThere) problems.push({ kind: 'kept', table });
  }

  const adding: PublicationChange[] = [];
  const kept = new Set(problems.map(({ table }) => table.oid));
  for (const table of uncoveredTables([withAll(updates, gaining), withAll(inserts, losing)], captured, true)) {
    if (kept.has(table.oid)) continue;
    const target = table.hasIdentity ? before : inserts;
    if (table.owned && target.owned && !target.members.has(table.oid)) {
      const kind = table.hasIdentity && publishes(before, table) ? 'detached' : 'added';
      adding.push({ kind, table, from: null, to: target.name, isThere: false, like: null });
    } else problems.push({ kind: 'uncovered', table });
  }
  for (const table of refusedTables([updates], tables)) problems.push({ kind: 'refused', table });
  // A leaf that was published by way of its root is published itself before the root is moved.
  return { changes: [...adding, ...losing, ...gaining], problems };
}

/**
 * What is left to say where the publications are not the source's to change. Pure.
 * @param tables those whose UPDATE and DELETE matter.
 */
export function findProblems(
  publications: readonly PublicationFacts[],
  tables: readonly PublishableTable[],
  captured: readonly PublishableTable[],
): readonly PublicationProblem[] {
  return [
    ...uncoveredTables(publications, captured, false).map((table) => ({ kind: 'uncovered', table }) as const),
    ...refusedTables(publications, tables).map((table) => ({ kind: 'refused', table }) as const),
  ];
}

function without(publication: PublicationFacts, changes: readonly PublicationChange[]): PublicationFacts {
  const members = new Map(publication.members);
  for (const { table } of changes) members.delete(table.oid);
  return { ...publication, members };
}

/** Each table as a whole: only whether it is a member matters to whoever asks. */
function withAll(publication: PublicationFacts, changes: readonly PublicationChange[]): PublicationFacts {
  const members = new Map(publication.members);
  for (const { table } of changes) {
    members.set(table.oid, { membership: 0, rowFilter: null, columns: null, bySchema: false });
  }
  return { ...publication, members };
}

function isWhole(member: PublicationMember): boolean {
  return member.rowFilter === null && member.columns === null;
}

function publishesWhole(publication: PublicationFacts, table: PublishableTable): boolean {
  if (publication.allTables) return true;
  return [table.oid, ...table.ancestors].some((oid) => {
    const member = publication.members.get(oid);
    return member !== undefined && isWhole(member);
  });
}
