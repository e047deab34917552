import { TailraceError } from '../../../src/core/errors.ts';
import type { SnapshotTable, ViewRefusal } from '../../../src/core/snapshot.ts';
import { qualifiedName } from '../../../src/core/table.ts';
import { quotedTable } from '../quoted-name.ts';
import { numberOf } from '../server-error.ts';
import type { ReaderConnection } from './reader-connection.ts';

/** ER_LOCK_WAIT_TIMEOUT */
const LATE = 1205;

/**
 * Runs `act` while nobody changes the tables: whoever wrote to one has committed. The lock is gone when this returns, whatever
 * happens; writers wait that long, and no longer than the session's lock_wait_timeout before it.
 */
export async function underTableLock<T>(
  connection: ReaderConnection,
  tables: readonly SnapshotTable[],
  act: () => Promise<T>,
  signal: AbortSignal,
): Promise<T | ViewRefusal> {
  const names = tables.map(({ id }) => `${quotedTable(id)} READ`).join(', ');
  try {
    await connection.query('locking tables for a moment', `LOCK TABLES ${names}`, signal);
  } catch (error) {
    if (!(error instanceof TailraceError) || numberOf(error.cause) !== LATE) throw error;
    const [first] = tables;
    return {
      refusal: `a transaction that writes to ${first === undefined ? 'a table' : qualifiedName(first.id)} is open`,
    };
  }
  try {
    return await act();
  } finally {
    try {
      await connection.query('unlocking tables', 'UNLOCK TABLES', signal);
    } catch {
      // The lock ends with its connection.
      await connection[Symbol.asyncDispose]();
    }
  }
}
