import assert from 'node:assert/strict';
import { join } from 'node:path';
import { it } from 'node:test';
import { Daemon } from '../support/daemon-process.ts';
import { awaitConfirmed } from '../support/slot-progress.ts';
import { tailedDatabase } from '../support/tailed-database.ts';

const HANDOVERS = 4;
const ROWS = 500;

it('daemons that wait for each other take over at every graceful stop, and nothing is lost or repeated', {
  timeout: 600_000,
}, async () => {
  await using tailed = await tailedDatabase('CREATE TABLE t (id int PRIMARY KEY)');
  const sources = [tailed.source()];
  await using first = await Daemon.create({ sources });
  // The same folder: its lock goes from one to the other as the slot does.
  const checkpoint = { store: 'file', path: join(first.directory, 'state'), interval: '200ms' };
  await using second = await Daemon.create({ sources, config: { checkpoint } });
  let [owner, heir] = [first, second];
  await owner.start().streaming();
  for (let handover = 0; handover < HANDOVERS; handover += 1) {
    const before = heir.output.length;
    heir.start();
    await heir.until('it waits for the slot', () => heir.output.slice(before).includes('waiting until it stops'));
    await tailed.query('INSERT INTO t SELECT generate_series($1::int, $2::int)', [
      handover * ROWS + 1,
      (handover + 1) * ROWS,
    ]);
    assert.equal(await owner.stop(), 0, owner.output.slice(-2_000));
    await heir.streaming(60_000);
    [owner, heir] = [heir, owner];
  }
  await awaitConfirmed(tailed.database, `tailrace_${tailed.prefix}`);
  assert.equal(await owner.stop(), 0);
  const ids = (await tailed.records('public.t', HANDOVERS * ROWS)).map(({ decodedKey }) => decodedKey.id);
  assert.deepEqual(
    ids,
    Array.from({ length: HANDOVERS * ROWS }, (_, index) => index + 1),
  );
});
