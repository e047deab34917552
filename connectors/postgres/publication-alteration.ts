import type { SqlConnection } from './connection.ts';
import { quoteIdentifier } from './protocol/start-replication.ts';
import type { PublicationChange } from './publication-plan.ts';

/** Longer than deadlock_timeout (1 s), after which Postgres cancels an autovacuum that is in the way. */
const LOCK_TIMEOUT = '3s';

const CLAUSES = `
  SELECT pg_catalog.pg_get_expr(r.prqual, r.prrelid) AS row_filter,
         (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum)
            FROM pg_catalog.pg_attribute a WHERE a.attrelid = r.prrelid AND a.attnum = ANY(r.prattrs)) AS columns
    FROM pg_catalog.pg_publication_rel r WHERE r.oid = $1`;

/**
 * Makes changes of the same two publications in one transaction, so that no change of a table falls between: pgoutput
 * decides by the catalog at the place of each change in the log, and sends a row once, however many publications have it.
 * https://www.postgresql.org/docs/current/sql-alterpublication.html
 * @throws a TailraceError; then nothing was changed, unless the connection broke.
 */
export async function alterPublications(
  sql: SqlConnection,
  changes: readonly PublicationChange[],
  signal: AbortSignal,
): Promise<void> {
  const [first] = changes;
  if (first === undefined) return;
  const added: string[] = [];
  for (const change of changes) {
    if (!change.isThere) added.push(nameOf(change) + (await clausesLike(sql, change.like, signal)));
  }
  const statements = [`SET LOCAL lock_timeout = '${LOCK_TIMEOUT}'`];
  if (added.length > 0) statements.push(`ALTER PUBLICATION ${quoteIdentifier(first.to)} ADD TABLE ${added.join(', ')}`);
  if (first.from !== null) {
    statements.push(`ALTER PUBLICATION ${quoteIdentifier(first.from)} DROP TABLE ${changes.map(nameOf).join(', ')}`);
  }
  // Statements of one message are one transaction, without a BEGIN that would outlive an error.
  await sql.query('altering a publication', statements.join('; '), [], signal);
}

/** ONLY: a table that inherits is a table of its own, and does not have the primary key of its parent. */
function nameOf({ table }: PublicationChange): string {
  return `ONLY ${quoteIdentifier(table.schema)}.${quoteIdentifier(table.name)}`;
}

async function clausesLike(sql: SqlConnection, membership: number | null, signal: AbortSignal): Promise<string> {
  if (membership === null) return '';
  const doing = 'reading a row filter';
  const [row] = await sql.query<{ row_filter: string | null; columns: string | null }>(
    doing,
    CLAUSES,
    [membership],
    signal,
  );
  const columns = row?.columns ?? null;
  const rowFilter = row?.row_filter ?? null;
  return (columns === null ? '' : ` (${columns})`) + (rowFilter === null ? '' : ` WHERE (${rowFilter})`);
}
