import { HEARTBEAT_PREFIX } from '../change-decoder.ts';
import type { SqlQueries } from '../connection.ts';
import { quoteLiteral } from '../protocol/start-replication.ts';
import type { ServerFacts } from '../server-facts.ts';

/**
 * Writes a message behind what the log has now, and flushes it, so that the stream of an idle database comes past this point
 * at once. The stream takes it for a heartbeat. Before Postgres 17 a message is flushed only with a commit that has a
 * transaction id: so it gets one, and the message itself stays outside of the transaction, which leaves that one empty. Not
 * waiting for standbys: a synchronous one that is away would hold up the view.
 */
export async function nudge(sql: SqlQueries, server: ServerFacts, source: string, signal: AbortSignal): Promise<void> {
  const message = `false, ${quoteLiteral(`${HEARTBEAT_PREFIX}${source}`)}, ''::text`;
  const statement =
    server.version >= 17
      ? `SELECT pg_catalog.pg_logical_emit_message(${message}, true)`
      : 'BEGIN; SET LOCAL synchronous_commit = local; ' +
        `SELECT pg_catalog.pg_current_xact_id(), pg_catalog.pg_logical_emit_message(${message}); COMMIT`;
  await sql.query('writing a heartbeat', statement, [], signal);
}
