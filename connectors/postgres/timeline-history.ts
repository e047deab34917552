import pg from 'pg';
import { withConfiguredTls } from '../../src/core/database-connection.ts';
import type { ConnectionConfig } from './config.ts';
import { clientConfig, socketOf } from './connection.ts';
import { type Lsn, parseLsn } from './protocol/lsn.ts';
import { isTlsUnsupported, postgresError } from './sql-state.ts';

/**
 * Where the timelines before the server's own ended, from TIMELINE_HISTORY, which only a replication connection answers.
 * https://www.postgresql.org/docs/current/protocol-replication.html
 */
export async function readTimelineEnds(config: ConnectionConfig, timeline: number): Promise<ReadonlyMap<number, Lsn>> {
  if (timeline <= 1) return new Map();
  return withConfiguredTls(config, isTlsUnsupported, async (withTls) => {
    const options = { ...clientConfig(config, withTls, 'timeline'), replication: 'database' };
    const client = new pg.Client(options as pg.ClientConfig);
    client.on('error', () => socketOf(client).destroy());
    const deadline = setTimeout(() => socketOf(client).destroy(), config.queryTimeoutMs);
    try {
      await client.connect();
      const result = await client.query<{ content: string }>(`TIMELINE_HISTORY ${timeline}`);
      return parseTimelineHistory(String(result.rows[0]?.content ?? ''));
    } catch (error) {
      throw postgresError(error, 'reading the history of timelines');
    } finally {
      clearTimeout(deadline);
      await client.end();
    }
  });
}

/** Lines are `<timeline>\t<LSN at which it ended>\t<reason>`; `#` begins a comment. */
export function parseTimelineHistory(text: string): ReadonlyMap<number, Lsn> {
  const ends = new Map<number, Lsn>();
  for (const line of text.split('\n')) {
    const match = /^\s*(\d+)\s+([0-9A-Fa-f]+\/[0-9A-Fa-f]+)/.exec(line);
    const end = match === null ? null : parseLsn(match[2] as string);
    if (match !== null && end !== null) ends.set(Number(match[1]), end);
  }
  return ends;
}
