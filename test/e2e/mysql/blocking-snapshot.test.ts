import { test } from 'node:test';
import { blockingSnapshot } from '../../support/blocking-snapshot.ts';
import { everyDatabase } from '../../support/every-database.ts';

for (const database of await everyDatabase()) {
  test(`${database.label}: all rows of a blocking snapshot come first, under load`, { timeout: 480_000 }, () =>
    blockingSnapshot(database, 0),
  );
}
