import { setTimeout as pause } from 'node:timers/promises';
import type { LoadedTable } from './loaded-table.ts';
import type { SeededRandom } from './workload-random.ts';

export interface TableWrites {
  /** Keys are from 1 to a twentieth beyond this. */
  readonly rows: number;
  readonly random: SeededRandom;
  readonly changesPerSecond: number;
  readonly stop: AbortSignal;
}

const WRITERS = 8;
const MOST_IN_TRANSACTION = 5;

/** Updates, deletes, inserts and changes of the key, on several connections, until stopped. @returns how many were made. */
export async function writeTo(table: LoadedTable, writes: TableWrites): Promise<number> {
  const changesPerSecond = writes.changesPerSecond / WRITERS;
  const writers = Array.from({ length: WRITERS }, () =>
    write(table, { ...writes, changesPerSecond, random: writes.random.fork() }),
  );
  return (await Promise.all(writers)).reduce((sum, changes) => sum + changes, 0);
}

async function write(table: LoadedTable, { rows, random, changesPerSecond, stop }: TableWrites): Promise<number> {
  await using writer = await table.connect();
  const key = () => random.int(1, Math.floor(rows * 1.05));
  const startedAt = performance.now();
  let changes = 0;
  while (!stop.aborted) {
    const count = random.int(1, MOST_IN_TRANSACTION);
    const statements = Array.from({ length: count }, () => change(random.int(0, 99), key(), key(), changes));
    if (await writer.transact(statements.flat())) changes += count;
    const aheadMs = (changes / changesPerSecond) * 1000 - (performance.now() - startedAt);
    if (aheadMs > 10) await pause(aheadMs);
  }
  return changes;
}

function change(verb: number, key: number, other: number, value: number): string[] {
  if (verb < 55) return [`UPDATE rows SET a = a + 1, d = ${value} WHERE id = ${key}`];
  if (verb < 70) return [`DELETE FROM rows WHERE id = ${key}`];
  if (verb < 90) {
    const isAbsent = `NOT EXISTS (SELECT 1 FROM rows WHERE id = ${key})`;
    return [`INSERT INTO rows (id, a, t) SELECT ${key}, 0, 'new' WHERE ${isAbsent}`];
  }
  return [`DELETE FROM rows WHERE id = ${other}`, `UPDATE rows SET id = ${other} WHERE id = ${key}`];
}
