import { capturesTable, type SourceSettings } from '../../../src/core/settings.ts';
import type { PublicationFacts } from '../publication.ts';
import { publishes } from '../publication-coverage.ts';
import type { PublishableTable } from '../publishable-tables.ts';

export interface StreamedTablesFacts {
  readonly source: SourceSettings;
  readonly publications: readonly PublicationFacts[];
  /** Every table of the database. */
  readonly tables: readonly PublishableTable[];
  /**
   * Captured tables that are in no publication will be: the source adds them, or there is no publication yet.
   * `viaRoot` tells how those are named.
   */
  readonly adds: boolean;
  readonly viaRoot: boolean;
}

/**
 * The captured tables under the names that the stream gives their rows: plain tables and the leaves of partitioned ones, or
 * the topmost published table above them where the publication publishes by way of the root. Pure.
 */
export function streamedTables(facts: StreamedTablesFacts): readonly PublishableTable[] {
  const byOid = new Map(facts.tables.map((table) => [table.oid, table]));
  const streamed = new Set<PublishableTable>();
  for (const leaf of facts.tables) {
    if (leaf.isPartitioned) continue;
    const as = byOid.get(publishedAs(leaf, facts, byOid) ?? -1);
    if (as !== undefined && captures(facts, as)) streamed.add(as);
  }
  return [...streamed].sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
}

/** OID of the table under whose name rows of the leaf are published; null where they are not. */
function publishedAs(
  leaf: PublishableTable,
  facts: StreamedTablesFacts,
  byOid: ReadonlyMap<number, PublishableTable>,
): number | null {
  const line = [leaf.oid, ...leaf.ancestors];
  const covering = facts.publications.filter((publication) => publishes(publication, leaf));
  if (covering.length > 0) {
    const tops = covering
      .filter(({ viaRoot }) => viaRoot)
      .map(({ allTables, members }) => (allTables ? line.length - 1 : line.findLastIndex((oid) => members.has(oid))));
    return line[Math.max(0, ...tops)]!;
  }
  if (!facts.adds) return null;
  const top = line.findLastIndex((oid) => {
    const table = byOid.get(oid);
    return table !== undefined && captures(facts, table);
  });
  return top < 0 ? null : facts.viaRoot ? line[top]! : leaf.oid;
}

function captures({ source }: StreamedTablesFacts, table: PublishableTable): boolean {
  return capturesTable(source, nameOf(table));
}

function nameOf({ schema, name }: PublishableTable): string {
  return `${schema}.${name}`;
}
