import type { SnapshotTable } from '../core/snapshot.ts';
import { TableReading } from './table-reading.ts';
import type { VerifyDependencies } from './verify-dependencies.ts';

const POLL_MS = 300;

/**
 * Waits until everything that is committed now is published. A topic that lags could by chance say of a key what its row
 * has come back to, with changes in between that are still to be told, or will never be.
 * @returns false where the checkpoint stands still, or there is none: how far the topics are is not known
 */
export async function awaitPublished(
  table: SnapshotTable,
  dependencies: VerifyDependencies,
  signal: AbortSignal,
): Promise<boolean> {
  if ((await dependencies.publishedUpTo(signal)) === null) return false;
  await using reading = new TableReading(dependencies.reader, table, dependencies);
  await reading.look(signal);
  let published = '';
  for (let until = Number.NEGATIVE_INFINITY; ; ) {
    const upTo = await dependencies.publishedUpTo(signal);
    if (upTo !== null && reading.isPassed(upTo.position)) return true;
    const now = performance.now();
    if (upTo !== null && upTo.text !== published) until = now + dependencies.patienceMs;
    else if (now >= until) return false;
    published = upTo?.text ?? '';
    await dependencies.clock.sleep(POLL_MS, signal);
  }
}
