import { randomBytes } from 'node:crypto';
import type { SqlConnection } from './connection.ts';
import { quoteIdentifier } from './protocol/start-replication.ts';

/** Purpose of a tail's connection for statements: with it a living tail is recognised in pg_stat_activity. */
export const TAIL_PURPOSE = 'tail';

/** A name for the slot and the publications of one tail: whose it is can be read from it. */
export async function nameTail(sql: SqlConnection, signal: AbortSignal): Promise<string> {
  const [row] = await sql.query<{ pid: number }>(
    'asking for the process of the connection',
    'SELECT pg_catalog.pg_backend_pid() AS pid',
    [],
    signal,
  );
  return `tailrace_tail_${row?.pid ?? 0}_${randomBytes(4).toString('hex')}`;
}

// A living tail has its slot, and before that its connection. Publications of other roles cannot be dropped.
const LEFTOVERS = `
  SELECT p.pubname::text AS name
    FROM pg_catalog.pg_publication p
    CROSS JOIN LATERAL pg_catalog.regexp_match(p.pubname::text, '^(tailrace_tail_([0-9]{1,9})_[0-9a-f]{8})(_insert_only)?$')
      AS part
   WHERE part IS NOT NULL
     AND pg_catalog.pg_has_role(p.pubowner, 'USAGE')
     AND NOT EXISTS (SELECT FROM pg_catalog.pg_replication_slots s WHERE s.slot_name = part[1])
     AND NOT EXISTS (SELECT FROM pg_catalog.pg_stat_activity a
                      WHERE a.pid = part[2]::int AND a.datname = current_database() AND a.application_name = $1)`;

/** Drops the publications of tails that died before they could. @returns their names. */
export async function dropLeftovers(sql: SqlConnection, signal: AbortSignal): Promise<readonly string[]> {
  const rows = await sql.query<{ name: string }>(
    'looking for what ended tails left',
    LEFTOVERS,
    [`tailrace ${TAIL_PURPOSE}`],
    signal,
  );
  for (const { name } of rows) {
    const statement = `DROP PUBLICATION IF EXISTS ${quoteIdentifier(name)}`;
    await sql.query('dropping what an ended tail left', statement, [], signal);
  }
  return rows.map(({ name }) => name);
}
