import { test } from 'node:test';
import { blockingSnapshot } from '../support/blocking-snapshot.ts';
import { everyDatabase } from '../support/every-database.ts';

const KILLS = 2;

for (const database of await everyDatabase()) {
  test(
    `${database.label}: all rows of a blocking snapshot come first, over ${KILLS} times kill -9`,
    {
      timeout: 480_000,
    },
    () => blockingSnapshot(database, KILLS),
  );
}
