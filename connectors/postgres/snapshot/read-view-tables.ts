import { qualifiedName } from '../../../src/core/table.ts';
import { readCatalogTables, readTypes } from '../catalog.ts';
import type { PostgresConfig } from '../config.ts';
import type { SqlQueries } from '../connection.ts';
import type { RelationColumn, RelationMessage, ReplicaIdentity } from '../protocol/pgoutput-messages.ts';
import { publicationNames } from '../publication-setup.ts';
import { resolveFacts } from '../relation-facts.ts';
import type { ServerFacts } from '../server-facts.ts';
import { keyColumnsOf, readKeyIndexes } from './key-indexes.ts';
import { type PublishedPart, readPublishedParts, WHOLE } from './published-part.ts';
import { type KnownVersions, ViewTable } from './view-table.ts';

interface RelationRow {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly identity: ReplicaIdentity;
  readonly is_partitioned: boolean;
}

interface ColumnRow {
  readonly relation: number;
  readonly number: number;
  readonly name: string;
  readonly type: number;
  readonly typmod: number;
  readonly is_generated: boolean;
  readonly is_stored: boolean;
  readonly is_key: boolean;
}

type Row = Record<string, unknown>;

const RELATIONS = `
  SELECT c.oid::int8::float8 AS oid, n.nspname::text AS schema, c.relname::text AS name,
         c.relreplident::text AS identity, c.relkind = 'p' AS is_partitioned
    FROM unnest($1::name[], $2::name[]) AS wanted(schema, name)
    JOIN pg_catalog.pg_namespace n ON n.nspname = wanted.schema
    JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = wanted.name AND c.relkind IN ('r', 'p')`;

// A column is flagged as pgoutput flags it: it is of the replica identity, for which a deferrable primary key does not count.
const COLUMNS = `
  SELECT a.attrelid::int8::float8 AS relation, a.attnum::int4 AS number, a.attname::text AS name,
         a.atttypid::int8::float8 AS type, a.atttypmod AS typmod,
         a.attgenerated <> '' AS is_generated, a.attgenerated = 's' AS is_stored,
         c.relreplident = 'f' OR EXISTS (
           SELECT FROM pg_catalog.pg_index i
             CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS k(attnum, place)
            WHERE i.indrelid = c.oid AND i.indisvalid AND k.attnum = a.attnum AND k.place <= i.indnkeyatts
              AND CASE c.relreplident WHEN 'd' THEN i.indisprimary AND i.indimmediate
                                      WHEN 'i' THEN i.indisreplident ELSE false END) AS is_key
    FROM pg_catalog.pg_attribute a
    JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
   WHERE a.attrelid = ANY($1) AND a.attnum > 0 AND NOT a.attisdropped
   ORDER BY a.attrelid, a.attnum`;

/** What a name of a table is told by. */
export interface TableName {
  readonly schema: string;
  readonly name: string;
}

/**
 * What the catalog that `sql` sees says of tables: as the stream would announce them at this moment. By qualified name; a
 * table that is not there is missing.
 */
export async function readViewTables(
  sql: SqlQueries,
  names: readonly TableName[],
  config: PostgresConfig,
  server: ServerFacts,
  known: KnownVersions,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, ViewTable>> {
  const wanted = [names.map(({ schema }) => schema), names.map(({ name }) => name)];
  const relations = await sql.query<RelationRow & Row>('reading tables', RELATIONS, wanted, signal);
  if (relations.length === 0) return new Map();
  const oids = relations.map(({ oid }) => oid);
  const parts = await readPublishedParts(sql, publicationNames(config), server, oids, signal);
  const columns = Map.groupBy(
    await sql.query<ColumnRow & Row>('reading columns', COLUMNS, [oids], signal),
    ({ relation }) => relation,
  );
  const messages = relations.map((row) => message(row, columns.get(row.oid) ?? [], parts.get(row.oid) ?? WHOLE));
  const catalog = await readCatalogTables(sql, oids, signal);
  const types = await readTypes(
    sql,
    messages.flatMap((relation) => relation.columns.map(({ typeOid }) => typeOid)),
    signal,
  );
  const indexes = await readKeyIndexes(sql, oids, signal);
  const tables = messages.map((relation, index) => {
    const facts = resolveFacts(relation, catalog.get(relation.oid)!, types);
    const columnNames = relation.columns.map(({ name }) => name);
    return new ViewTable(
      {
        database: config.connection.database,
        relation,
        facts,
        modes: config.types,
        isPartitioned: relations[index]!.is_partitioned,
        keyColumns: keyColumnsOf(facts, columnNames, indexes.get(relation.oid) ?? []),
        rowFilter: (parts.get(relation.oid) ?? WHOLE).rowFilter,
      },
      known,
    );
  });
  return new Map(tables.map((table) => [qualifiedName(table.id), table]));
}

function message(row: RelationRow, columns: readonly ColumnRow[], part: PublishedPart): RelationMessage {
  const isPublished = ({ number, is_generated, is_stored }: ColumnRow) =>
    part.columns !== null ? part.columns.includes(number) : !is_generated || (is_stored && part.withGenerated);
  return {
    oid: row.oid,
    schema: row.schema,
    name: row.name,
    replicaIdentity: row.identity,
    columns: columns
      .filter(isPublished)
      .map(({ name, is_key, type, typmod }): RelationColumn => ({ name, isKey: is_key, typeOid: type, typmod })),
  };
}
