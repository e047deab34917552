import { TailraceError } from '../../../src/core/errors.ts';
import type { SnapshotTable, ViewRefusal } from '../../../src/core/snapshot.ts';
import { qualifiedName } from '../../../src/core/table.ts';
import { quotedTable } from '../quoted-name.ts';
import { numberOf } from '../server-error.ts';
import type { ReaderConnection } from './reader-connection.ts';

/** ER_LOCK_WAIT_TIMEOUT */
const LATE = 1205;

/**
 * Without autocommit InnoDB locks the table too, and so waits for whoever wrote to it to be visible: servers before MySQL 5.7
 * only wait for statements otherwise.
 */
const LOCKING = 'SET SESSION autocommit = 0, innodb_lock_wait_timeout = 1';

/**
 * Runs `act` while nobody changes the tables: whoever wrote to one has committed. The lock is gone when this returns, whatever
 * happens; writers wait that long, and a second at most before it.
 */
export async function underTableLock<T>(
  connection: ReaderConnection,
  tables: readonly SnapshotTable[],
  act: () => Promise<T>,
  signal: AbortSignal,
): Promise<T | ViewRefusal> {
  const names = tables.map(({ id }) => `${quotedTable(id)} READ`).join(', ');
  try {
    await connection.query('preparing to lock tables', LOCKING, signal);
    await connection.query('locking tables for a moment', `LOCK TABLES ${names}`, signal);
    return await act();
  } catch (error) {
    if (!(error instanceof TailraceError) || numberOf(error.cause) !== LATE) throw error;
    const [first] = tables;
    const name = first === undefined ? 'a table' : qualifiedName(first.id);
    return { refusal: `a transaction that writes to ${name} is open, or the table is being altered` };
  } finally {
    await unlock(connection, signal);
  }
}

async function unlock(connection: ReaderConnection, signal: AbortSignal): Promise<void> {
  try {
    await connection.query('unlocking tables', 'UNLOCK TABLES', signal);
    await connection.query('unlocking tables', 'SET SESSION autocommit = 1', signal);
  } catch {
    // The lock ends with its connection.
    await connection[Symbol.asyncDispose]();
  }
}
