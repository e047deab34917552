import assert from 'node:assert/strict';
import { it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Daemon } from '../support/daemon-process.ts';
import { parseExposition } from '../support/exposition.ts';
import { awaitState, caughtUp, type TailedDatabase, tailedDatabase } from '../support/tailed-database.ts';

const MOVABLE_CLOCK = fileURLToPath(new URL('../support/movable-clock.ts', import.meta.url));

it('a clock that jumps two hours ahead, back, and right again: nothing is lost, repeated or given up', {
  timeout: 480_000,
}, async () => {
  await using tailed = await tailedDatabase('CREATE TABLE t (id int PRIMARY KEY)');
  const source = tailed.prefix;
  await using daemon = await Daemon.create({
    sources: [tailed.source()],
    nodeArguments: ['--import', MOVABLE_CLOCK],
  });
  await daemon.start().streaming();
  await insert(tailed, 1, 10);
  await caughtUp(daemon, tailed, source);

  // Kafka takes no record from more than an hour ahead of its own clock.
  await moveClock(daemon, 7_200_000);
  await insert(tailed, 11, 20);
  const { last_error } = await awaitState(daemon, source, 'backing-off');
  assert.equal(last_error?.code, 'KAFKA_INVALID_TIMESTAMP');
  assert.match(last_error?.remedy ?? '', /clock of this machine.*message\.timestamp\.after\.max\.ms/);
  assert.equal((await daemon.get('/livez')).status, 200);

  await moveClock(daemon, -7_200_000);
  await daemon.streaming(60_000);
  await insert(tailed, 21, 30);
  await caughtUp(daemon, tailed, source);
  const metrics = parseExposition(await (await daemon.get('/metrics')).text());
  assert.ok((metrics.value('tailrace_lag_seconds', { source }) ?? -1) >= 0);

  await moveClock(daemon, 0);
  await insert(tailed, 31, 40);
  await caughtUp(daemon, tailed, source);
  assert.equal((await daemon.status(source)).state, 'streaming');
  const ids = (await tailed.records('public.t', 40)).map(({ decodedKey }) => decodedKey.id);
  assert.deepEqual(
    ids,
    Array.from({ length: 40 }, (_, index) => index + 1),
  );
  assert.equal(await daemon.stop(), 0);
});

/** What is written after this is read under the new time. */
async function moveClock(daemon: Daemon, offsetMs: number): Promise<void> {
  daemon.signal('SIGUSR2');
  await daemon.until('the clock is moved', () => daemon.output.includes(`the clock is ${offsetMs} ms off`));
}

async function insert(tailed: TailedDatabase, from: number, to: number): Promise<void> {
  await tailed.query('INSERT INTO t SELECT generate_series($1::int, $2::int)', [from, to]);
}
