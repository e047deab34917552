import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FatalError, ResyncRequiredError, TransientError } from '../../../src/core/errors.ts';
import { PrometheusMetrics } from '../../../src/observability/prometheus-metrics.ts';
import { Supervisor } from '../../../src/supervisor/supervisor.ts';
import { FakeClock, settle } from './fake-clock.ts';
import { FakeRunner, type FakeRunnerHabits } from './fake-runner.ts';
import { RecordingLogger } from './recording-logger.ts';

const context = { code: 'SOME_CODE', remedy: 'Do this.' };

function daemon(habits: Readonly<Record<string, FakeRunnerHabits>>) {
  const clock = new FakeClock();
  const runners = new Map<string, FakeRunner>();
  const sources = Object.entries(habits).map(([name, habit]) => ({
    name,
    type: 'postgres',
    createRunner: () => {
      const runner = new FakeRunner(habit);
      runners.set(name, runner);
      return runner;
    },
  }));
  const supervisor = new Supervisor(sources, {
    clock,
    logger: new RecordingLogger(),
    metrics: new PrometheusMetrics({ processMetrics: false }),
    random: () => 0.5,
  });
  const states = () => supervisor.statuses().map(({ state }) => state);
  return { supervisor, clock, states, runner: (name: string) => runners.get(name)! };
}

test('one failing source leaves the others alone', async () => {
  const { supervisor, states, runner } = daemon({ a: {}, b: {}, c: {} });
  supervisor.start();
  for (const name of ['a', 'b', 'c']) runner(name).stream();
  assert.deepEqual(supervisor.ready(), { ok: true, problems: [] });
  const untouched = runner('b');
  runner('a').fail(new FatalError('x', context));
  runner('c').fail(new TransientError('x', context));
  await settle();
  assert.deepEqual(states(), ['failed', 'streaming', 'backing-off']);
  assert.equal(runner('b'), untouched);
  assert.equal(untouched.stopSignal?.aborted, false);
  const ready = supervisor.ready();
  assert.deepEqual([ready.ok, ready.problems.map(({ source }) => source)], [false, ['a', 'c']]);
  assert.equal(supervisor.live().ok, true);
});

test('a source whose runner cannot even be called disturbs nobody', async () => {
  const clock = new FakeClock();
  const good = new FakeRunner();
  const supervisor = new Supervisor(
    [
      { name: 'bad', type: 'x', createRunner: () => null as unknown as FakeRunner },
      { name: 'good', type: 'x', createRunner: () => good },
    ],
    { clock, logger: new RecordingLogger(), metrics: new PrometheusMetrics({ processMetrics: false }) },
  );
  supervisor.start();
  good.stream();
  await settle();
  assert.deepEqual(
    supervisor.statuses().map(({ state }) => state),
    ['backing-off', 'streaming'],
  );
});

test('when every source needs a resync the daemon goes on and shows it until it is stopped', async () => {
  const { supervisor, clock, states, runner } = daemon({ a: {}, b: {} });
  supervisor.start();
  let stopped = false;
  void supervisor.waitUntilStopped().then(() => {
    stopped = true;
  });
  for (const name of ['a', 'b']) runner(name).fail(new ResyncRequiredError('x', context));
  await clock.pass(3_600_000);
  assert.deepEqual(states(), ['resync-required', 'resync-required']);
  assert.equal(stopped, false);
  assert.deepEqual([supervisor.live().ok, supervisor.ready().ok], [true, false]);
  assert.equal((await supervisor.stop(1_000)).exitCode, 0);
  await settle();
  assert.equal(stopped, true);
});

test('sources stop at the same time, each with the whole deadline; one that had to be killed makes the exit code 1', async () => {
  const { supervisor, clock, states } = daemon({ a: {}, b: { onStop: 'ignore' }, c: { onStop: 'ignore' } });
  supervisor.start();
  const first = supervisor.stop(10_000);
  const second = supervisor.stop(1);
  await settle();
  assert.deepEqual(states(), ['stopped', 'stopping', 'stopping']);
  await clock.pass(10_000);
  const report = await first;
  assert.equal(await second, report);
  assert.equal(await supervisor.waitUntilStopped(), report);
  assert.deepEqual(
    [...report.outcomes],
    [
      ['a', 'graceful'],
      ['b', 'killed'],
      ['c', 'killed'],
    ],
  );
  assert.equal(report.exitCode, 1);
});

test('kill cuts the stop of all sources short', async () => {
  const { supervisor, clock } = daemon({ a: { onStop: 'ignore' }, b: { onStop: 'ignore', onKill: 'ignore' } });
  supervisor.start();
  const stopping = supervisor.stop(60_000);
  supervisor.kill();
  await settle();
  await clock.pass(5_000);
  const { outcomes } = await stopping;
  assert.deepEqual([...outcomes.values()], ['killed', 'abandoned']);
});

test('waiting until a source has caught up ends when it has, or cannot', async () => {
  const { supervisor, runner, clock } = daemon({ a: {}, b: {}, c: {}, d: {} });
  supervisor.start();
  const results = new Map<string, string>();
  for (const name of ['a', 'b', 'c', 'd']) {
    void supervisor.caughtUp(name).then((outcome) => results.set(name, outcome));
  }
  runner('a').stream({ caughtUp: false, reachedStart: true });
  runner('b').stream({ caughtUp: true, reachedStart: false });
  runner('d').stream({ caughtUp: true, reachedStart: false });
  await settle();
  assert.deepEqual([...results], [['a', 'caught-up']]);
  runner('b').fail(new ResyncRequiredError('x', context));
  while (!results.has('c')) {
    runner('c').fail(new TransientError('away', context));
    await settle();
    await clock.pass(60_000);
  }
  assert.equal(supervisor.statuses()[2]?.retry?.circuit_open, true);
  void supervisor.stop(1_000);
  await settle();
  assert.deepEqual(Object.fromEntries(results), { a: 'caught-up', b: 'resync-required', c: 'failed', d: 'stopped' });
});

test('a stuck loop makes the daemon not live', async () => {
  const { supervisor, clock, runner } = daemon({ a: {}, b: {} });
  supervisor.start();
  runner('a').stream();
  runner('b').stream();
  await clock.pass(31_000);
  runner('b').observer!.touch();
  const { ok, problems } = supervisor.live();
  assert.deepEqual([ok, problems.map(({ source }) => source)], [false, ['a']]);
});
