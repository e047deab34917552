import { codeOf } from '../../src/core/error-classification.ts';
import type { Logger } from '../../src/core/logger.ts';
import { repeat } from '../../src/core/repeat.ts';
import { HEARTBEAT_PREFIX } from './change-decoder.ts';
import type { SqlConnection } from './connection.ts';
import type { ServerFacts } from './server-facts.ts';

/**
 * Writes a logical message now and then, so that a quiet database on a busy server has something to confirm: else its
 * slot would hold all the log that the others write. From Postgres 17 on it is flushed at once; before, with the next
 * commit or the background writer's next snapshot record (15 s at most).
 * @returns a function that ends it.
 */
export function startHeartbeat(
  sql: SqlConnection,
  server: ServerFacts,
  source: string,
  intervalMs: number,
  logger: Logger,
): () => Promise<void> {
  // A standby cannot write; what its primary writes arrives there anyway.
  if (server.isStandby || intervalMs <= 0) return async () => undefined;
  const flush = server.version >= 17 ? ', true' : '';
  const statement = `SELECT pg_catalog.pg_logical_emit_message(false, $1, ''::text${flush})`;
  let failing = false;
  return repeat(intervalMs, async (signal) => {
    try {
      await sql.query('writing a heartbeat', statement, [`${HEARTBEAT_PREFIX}${source}`], signal);
      failing = false;
    } catch (error) {
      if (signal.aborted || failing) return;
      // The stream itself tells whether the server is alive; a heartbeat that cannot be written is only worth a line.
      failing = true;
      logger.warn({ sqlState: codeOf((error as Error).cause) }, 'the heartbeat could not be written to the source');
    }
  });
}
