import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ConfigurationError, ResyncRequiredError, TransientError } from '../../../src/core/errors.ts';
import { accepted, conflict, type OperationOutcome } from '../../../src/core/operation-outcome.ts';
import type { SnapshotControl } from '../../../src/core/snapshot-control.ts';
import type { SnapshotStatus } from '../../../src/core/snapshot-status.ts';
import type { SourceStateName } from '../../../src/core/source-status.ts';
import { SOURCE_TRANSITIONS } from '../../../src/supervisor/state-machine.ts';
import { settle } from './fake-clock.ts';
import { Supervised } from './supervised.ts';

const context = { code: 'SOME_CODE', remedy: 'Do this.' };
const transient = () => new TransientError('The server is away.', context);

function streaming(): Supervised {
  const it = new Supervised();
  it.source.start();
  it.runner.stream();
  return it;
}

function refusedWith(outcome: OperationOutcome<unknown>, code: string, kind = 'conflict'): void {
  assert.ok(!outcome.ok, 'it was carried out');
  assert.deepEqual([outcome.refusal.code, outcome.refusal.kind], [code, kind]);
  assert.notEqual(outcome.refusal.remedy, '');
}

function carriedOut<T>(outcome: OperationOutcome<T>): T {
  assert.ok(outcome.ok, outcome.ok ? '' : outcome.refusal.message);
  return outcome.value;
}

test('a pause ends the attempt gracefully and lasts until the source is resumed', async () => {
  const it = streaming();
  assert.equal(carriedOut(await it.source.pause()).state, 'paused');
  assert.equal(it.runner.stopSignal?.aborted, true);
  assert.equal(it.runner.killSignal?.aborted, false);
  await it.clock.pass(86_400_000);
  assert.equal(it.state, 'paused');
  assert.equal(it.runners.length, 1);
  assert.equal(it.source.notReady(), null, 'a paused source does what it is to do');
  assert.equal(carriedOut(await it.source.pause()).state, 'paused', 'again changes nothing');
  assert.equal(carriedOut(await it.source.resume()).state, 'starting');
  assert.equal(it.runners.length, 2);
  it.runner.stream();
  assert.equal(it.state, 'streaming');
  assert.deepEqual(it.requests, [{ resync: false }, { resync: false }]);
  assert.equal(await it.source.stop(1_000), 'graceful');
});

test('a source that has completed is ready, and starts again for a resync alone', async () => {
  const it = streaming();
  it.runner.observer!.completed!();
  it.runner.resolve();
  await settle();
  assert.equal(it.state, 'completed');
  assert.equal(await it.source.caughtUp, 'caught-up');
  assert.equal(it.source.notReady(), null, 'it has done what it is to do');
  await it.clock.pass(86_400_000);
  assert.equal(it.runners.length, 1);
  refusedWith(await it.source.pause(), 'SOURCE_NOT_RUNNING');
  refusedWith(await it.source.resume(), 'SOURCE_COMPLETED');
  assert.equal(carriedOut(await it.source.resync()).state, 'starting');
  assert.deepEqual(it.requests, [{ resync: false }, { resync: true }]);
  it.runner.stream();
  assert.equal(await it.source.stop(1_000), 'graceful');
});

test('a pause of a source that backs off ends its pauses; resuming begins its failures anew', async () => {
  const it = streaming();
  await it.fail(transient());
  assert.equal(it.state, 'backing-off');
  carriedOut(await it.source.pause());
  assert.equal(it.source.status().retry, null);
  await it.clock.pass(86_400_000);
  assert.equal(it.runners.length, 1);
  carriedOut(await it.source.resume());
  await it.fail(transient());
  assert.deepEqual(it.clock.pausesMs, [500]);
});

test('a resume of a source that backs off tries at once', async () => {
  const it = streaming();
  await it.fail(transient());
  carriedOut(await it.source.resume());
  await settle();
  assert.equal(it.runners.length, 2);
  assert.equal(it.state, 'starting');
  assert.deepEqual(it.clock.pausesMs, []);
});

test('a source that has ended can be resumed but not paused; one that runs cannot be resumed', async () => {
  for (const error of [new ConfigurationError('x', context), new ResyncRequiredError('x', context)]) {
    const it = streaming();
    await it.fail(error);
    refusedWith(await it.source.pause(), 'SOURCE_NOT_RUNNING');
    assert.equal(it.source.status().last_error?.code, 'SOME_CODE');
    carriedOut(await it.source.resume());
    assert.equal(it.runners.length, 2);
    refusedWith(await it.source.resume(), 'SOURCE_NOT_PAUSED');
    it.runner.stream();
    refusedWith(await it.source.resume(), 'SOURCE_NOT_PAUSED');
  }
});

test('a runner that does not end in time is killed, and the source is paused all the same', async () => {
  const it = new Supervised();
  it.habits = { onStop: 'ignore' };
  it.source.start();
  it.runner.stream();
  const pausing = it.source.pause();
  await it.clock.pass(25_000);
  assert.equal(carriedOut(await pausing).state, 'paused');
  assert.equal(it.runner.killSignal?.aborted, true);
});

test('beside a runner that cannot be ended no other is started', async () => {
  const it = new Supervised();
  it.habits = { onStop: 'ignore', onKill: 'ignore' };
  it.source.start();
  it.runner.stream();
  const pausing = it.source.pause();
  await it.clock.pass(30_000);
  refusedWith(await pausing, 'SOURCE_ABANDONED');
  assert.equal(it.state, 'failed');
  assert.equal(it.source.status().last_error?.code, 'SOURCE_ABANDONED');
  refusedWith(await it.source.resume(), 'SOURCE_ABANDONED');
  refusedWith(await it.source.resync(), 'SOURCE_ABANDONED');
  assert.equal(it.runners.length, 1);
});

test('an error while pausing is shown, and the source is paused', async () => {
  const it = new Supervised();
  it.habits = { onStop: new TransientError('Kafka did not answer.', context) };
  it.source.start();
  it.runner.stream();
  const status = carriedOut(await it.source.pause());
  assert.deepEqual([status.state, status.last_error?.message], ['paused', 'Kafka did not answer.']);
});

test('operations wait for each other, and a stop waits for none', async () => {
  const it = new Supervised();
  it.habits = { onStop: 'ignore' };
  it.source.start();
  it.runner.stream();
  const pausing = it.source.pause();
  const resuming = it.source.resume();
  await settle();
  it.habits = {};
  it.runner.resolve();
  assert.equal(carriedOut(await pausing).state, 'paused');
  assert.equal(carriedOut(await resuming).state, 'starting');
  it.runner.stream();
  const late = it.source.pause();
  const stopping = it.source.stop(1_000);
  refusedWith(await late, 'SOURCE_STOPPING');
  assert.equal(await stopping, 'graceful');
  assert.equal(it.state, 'stopped');
  refusedWith(await it.source.resume(), 'SOURCE_STOPPING');
});

test('a stop in the middle of a pause ends the source', async () => {
  const it = new Supervised();
  it.habits = { onStop: 'ignore' };
  it.source.start();
  it.runner.stream();
  const pausing = it.source.pause();
  await settle();
  const stopping = it.source.stop(1_000);
  await it.clock.pass(1_000);
  assert.equal(await stopping, 'killed');
  refusedWith(await pausing, 'SOURCE_STOPPING');
  assert.equal(it.state, 'stopped');
});

test('a resync is asked of each attempt until one streams', async () => {
  const it = streaming();
  assert.equal(carriedOut(await it.source.resync()).state, 'starting');
  assert.equal(it.runners[0]!.stopSignal?.aborted, true, 'the running attempt ended');
  await it.fail(transient());
  await it.clock.pass(500);
  carriedOut(await it.source.pause());
  carriedOut(await it.source.resume());
  it.runner.stream();
  await it.fail(transient());
  await it.clock.pass(500);
  assert.deepEqual(
    it.requests.map(({ resync }) => resync),
    [false, true, true, true, false],
  );
});

test('a resync begins from every state that has something to begin from', async () => {
  for (const error of [new ConfigurationError('x', context), new ResyncRequiredError('x', context), transient()]) {
    const it = streaming();
    await it.fail(error);
    assert.equal(carriedOut(await it.source.resync()).state, 'starting');
    assert.equal(it.requests.at(-1)?.resync, true);
  }
  const paused = streaming();
  carriedOut(await paused.source.pause());
  assert.equal(carriedOut(await paused.source.resync()).state, 'starting');
});

const SNAPSHOT: SnapshotStatus = {
  state: 'running',
  waiting_for: null,
  started_at: '2026-01-01T00:00:00.000Z',
  ended_at: null,
  tables: [{ table: 'public.t', rows: 5, estimated_rows: 10, done: false }],
};

function control(more: Partial<SnapshotControl> = {}): SnapshotControl {
  const running = async () => accepted(SNAPSHOT);
  return { start: running, pause: running, resume: running, stop: running, status: () => SNAPSHOT, ...more };
}

test('a snapshot is controlled through what the runner hands out, as long as its attempt lives', async () => {
  const it = streaming();
  refusedWith(await it.source.onSnapshots((each) => each.stop()), 'SNAPSHOT_UNAVAILABLE');
  assert.equal(it.source.status().snapshot, null);
  it.runner.observer!.snapshots!(
    control({ pause: async () => conflict('SNAPSHOT_NOT_RUNNING', 'None.', 'Start one.') }),
  );
  it.runner.observer!.snapshotting!();
  assert.equal(it.state, 'snapshotting');
  assert.deepEqual(it.source.status().snapshot, SNAPSHOT);
  const request = { tables: null, where: null };
  assert.deepEqual(carriedOut(await it.source.onSnapshots((each) => each.start(request))), SNAPSHOT);
  refusedWith(await it.source.onSnapshots((each) => each.pause()), 'SNAPSHOT_NOT_RUNNING');
  it.runner.observer!.streaming();
  assert.equal(it.state, 'streaming');
  await it.fail(transient());
  assert.deepEqual(it.source.status().snapshot, SNAPSHOT, 'what was last known is still shown');
  refusedWith(await it.source.onSnapshots((each) => each.stop()), 'SNAPSHOT_UNAVAILABLE');
});

test('an operation on a snapshot whose attempt ends is refused and holds nothing up', async () => {
  const it = streaming();
  it.runner.observer!.snapshots!(control({ start: () => new Promise(() => {}) }));
  const starting = it.source.onSnapshots((each) => each.start({ tables: null, where: null }));
  carriedOut(await it.source.pause());
  refusedWith(await starting, 'SNAPSHOT_UNAVAILABLE');
});

test('whatever is asked in whatever order, moves are legal and the source ends where it was told to', async () => {
  const step = fc.constantFrom('stream', 'pause', 'resume', 'resync', 'transient', 'failed', 'pass', 'settle');
  const habits = fc.record({ onStop: fc.constantFrom('resolve' as const, 'ignore' as const, new Error('at stop')) });
  await fc.assert(
    fc.asyncProperty(habits, fc.array(step, { maxLength: 20 }), async (habit, steps) => {
      const it = new Supervised();
      it.habits = habit;
      it.source.start();
      for (const each of steps) {
        if (each === 'stream') it.runner.stream();
        else if (each === 'pause') void it.source.pause();
        else if (each === 'resume') void it.source.resume();
        else if (each === 'resync') void it.source.resync();
        else if (each === 'transient') it.runner.fail(transient());
        else if (each === 'failed') it.runner.fail(new ConfigurationError('x', context));
        else if (each === 'pass') await it.clock.pass(30_000);
        else await settle();
      }
      const pausing = it.source.pause();
      for (let turn = 0; turn < steps.length + 2; turn += 1) await it.clock.pass(30_000);
      const outcome = await pausing;
      assert.equal(it.state, outcome.ok ? 'paused' : it.state);
      if (!outcome.ok) assert.match(it.state, /^(failed|resync-required)$/);
      for (const { fields } of it.logger.lines) {
        if (fields.state === undefined) continue;
        assert.ok(SOURCE_TRANSITIONS[fields.from as SourceStateName].includes(fields.state as SourceStateName));
        assert.notEqual(fields.reason, 'SUPERVISION_BROKEN');
      }
    }),
    { numRuns: 200 },
  );
});
