import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  ConfigurationError,
  FatalError,
  OwnershipLostError,
  PoisonChangeError,
  ResyncRequiredError,
  TransientError,
} from '../../../src/core/errors.ts';
import type { SourceStateName } from '../../../src/core/source-status.ts';
import { SOURCE_TRANSITIONS } from '../../../src/supervisor/state-machine.ts';
import { settle } from './fake-clock.ts';
import { IDLE } from './fake-runner.ts';
import { Supervised } from './supervised.ts';

const context = { code: 'SOME_CODE', remedy: 'Do this.' };
const transient = () => new TransientError('The server is away.', context);

test('a source starts, streams and stops gracefully', async () => {
  const it = new Supervised();
  assert.equal(it.state, 'starting');
  assert.equal(it.source.notReady()?.state, 'starting');
  it.source.start();
  it.runner.stream({ changes: 7, position: '0/1A' });
  assert.equal(it.state, 'streaming');
  assert.equal(it.source.notReady(), null);
  const stopping = it.source.stop(10_000);
  assert.equal(it.state, 'stopping');
  assert.equal(it.runner.stopSignal?.aborted, true);
  assert.equal(it.runner.killSignal?.aborted, false);
  assert.equal(await stopping, 'graceful');
  const status = it.source.status();
  assert.deepEqual([status.state, status.position, status.changes_total], ['stopped', '0/1A', 7]);
  assert.equal(status.last_error, null);
  assert.deepEqual(it.clock.pausesMs, [], 'no timer is left');
});

test('a transient error backs off and starts again; counts go on over the attempts', async () => {
  const it = new Supervised();
  it.source.start();
  it.runner.stream({ changes: 10, inFlightBytes: 500 });
  await it.fail(transient());
  const status = it.source.status();
  assert.equal(status.state, 'backing-off');
  assert.equal(status.in_flight_bytes, 0);
  assert.deepEqual(status.retry, { failures: 1, circuit_open: false, next_attempt_at: '2026-01-01T00:00:00.500Z' });
  assert.deepEqual(status.last_error, {
    code: 'SOME_CODE',
    message: 'The server is away.',
    remedy: 'Do this.',
    at: '2026-01-01T00:00:00.000Z',
  });
  assert.match(it.source.notReady()!.detail, /SOME_CODE: The server is away\. Do this\./);
  await it.clock.pass(499);
  assert.equal(it.runners.length, 1);
  await it.clock.pass(1);
  assert.equal(it.runners.length, 2);
  assert.equal(it.state, 'starting');
  it.runner.stream({ changes: 5 });
  assert.equal(it.source.status().changes_total, 15);
  assert.equal(await it.metric('tailrace_restarts_total'), 1);
  assert.equal(await it.metric('tailrace_errors_total', { class: 'transient' }), 1);
  assert.equal(await it.metric('tailrace_errors_total', { class: 'fatal' }), 0);
});

test('pauses grow, the circuit opens visibly, and a healthy period closes it', async () => {
  const it = new Supervised();
  it.source.start();
  const pauses: number[] = [];
  for (let failure = 1; failure <= 5; failure += 1) {
    await it.fail(new Error('no class'));
    pauses.push(it.clock.pausesMs[0]!);
    if (failure < 5) await it.clock.pass(it.clock.pausesMs[0]!);
  }
  assert.deepEqual(pauses, [500, 1_000, 2_000, 4_000, 75_000]);
  assert.equal(it.source.status().retry?.circuit_open, true);
  assert.equal(await it.metric('tailrace_source_circuit_open'), 1);
  assert.equal(await it.metric('tailrace_errors_total', { class: 'unclassified' }), 5);
  await it.clock.pass(75_000);
  it.runner.stream();
  await it.clock.pass(59_999);
  it.runner.observer!.progress(IDLE);
  assert.equal(it.source.status().retry?.failures, 5, 'not yet healthy');
  await it.clock.pass(1);
  it.runner.observer!.progress(IDLE);
  assert.equal(it.source.status().retry, null);
  assert.equal(await it.metric('tailrace_source_circuit_open'), 0);
  await it.fail(transient());
  assert.deepEqual(it.clock.pausesMs, [500]);
});

test('a source that fails soon after streaming does not begin its pauses anew', async () => {
  const it = new Supervised();
  it.source.start();
  for (const pauseMs of [500, 1_000, 2_000]) {
    it.runner.stream();
    await it.clock.pass(10);
    await it.fail(transient());
    assert.deepEqual(it.clock.pausesMs, [pauseMs]);
    await it.clock.pass(pauseMs);
  }
});

test('errors that trying again does not mend end in a state that stays', async () => {
  const endings = [
    [new ResyncRequiredError('The slot is gone.', context), 'resync-required', 'resync-required'],
    [new ConfigurationError('x', context), 'failed', 'configuration'],
    [new PoisonChangeError('x', context), 'failed', 'poison'],
    [new OwnershipLostError('x', context), 'failed', 'ownership'],
    [new FatalError('x', context), 'failed', 'fatal'],
  ] as const;
  for (const [error, state, label] of endings) {
    const it = new Supervised();
    it.source.start();
    it.runner.stream({ caughtUp: false, reachedStart: false });
    await it.fail(error);
    await it.clock.pass(86_400_000);
    assert.equal(it.state, state);
    assert.equal(it.runners.length, 1, 'no further attempt');
    assert.equal(it.source.status().last_error?.code, 'SOME_CODE');
    assert.equal(it.source.status().retry, null);
    assert.equal(it.source.notReady()?.state, state);
    assert.equal(it.source.stuck(), null, 'a restart would not help');
    assert.equal(await it.metric('tailrace_errors_total', { class: label }), 1);
    assert.equal(await it.source.caughtUp, state);
    assert.equal(await it.source.stop(1_000), 'graceful');
    assert.equal(it.state, 'stopped');
  }
});

test('a runner that ends by itself, or cannot be made, is a failed attempt', async () => {
  const it = new Supervised();
  it.source.start();
  it.runner.resolve();
  await settle();
  assert.equal(it.source.status().last_error?.code, 'SOURCE_STREAM_ENDED');
  assert.equal(it.state, 'backing-off');
  const broken = new Supervised(() => {
    throw new ConfigurationError('No such type.', context);
  });
  broken.source.start();
  await settle();
  assert.equal(broken.state, 'failed');
});

test('a runner that ignores the stop is killed at the deadline', async () => {
  const it = new Supervised();
  it.habits = { onStop: 'ignore' };
  it.source.start();
  it.runner.stream();
  const stopping = it.source.stop(10_000);
  await it.clock.pass(9_999);
  assert.equal(it.runner.killSignal?.aborted, false);
  await it.clock.pass(1);
  assert.equal(it.runner.killSignal?.aborted, true);
  assert.equal(await stopping, 'killed');
  assert.equal(it.state, 'stopped');
});

test('a runner that ignores even that is abandoned with an error in the log', async () => {
  const it = new Supervised();
  it.habits = { onStop: 'ignore', onKill: 'ignore' };
  it.source.start();
  it.runner.stream();
  const stopping = it.source.stop(10_000);
  await it.clock.pass(15_000);
  assert.equal(await stopping, 'abandoned');
  assert.equal(it.state, 'stopped');
  assert.ok(it.logger.lines.some(({ level, message }) => level === 'error' && message.includes('left alone')));
  it.runner.observer!.streaming();
  it.runner.fail(new Error('much later'));
  await settle();
  assert.equal(it.state, 'stopped');
});

test('a second interrupt cuts the graceful stop short', async () => {
  const it = new Supervised();
  it.habits = { onStop: 'ignore' };
  it.source.start();
  const stopping = it.source.stop(10_000);
  await it.clock.pass(10);
  it.source.kill();
  await settle();
  assert.equal(await stopping, 'killed');
});

test('an error while stopping is kept and makes the stop not graceful; an abort does not', async () => {
  const failing = new Supervised();
  failing.habits = { onStop: new TransientError('Kafka did not answer.', context) };
  failing.source.start();
  assert.equal(await failing.source.stop(1_000), 'error');
  assert.equal(failing.source.status().last_error?.message, 'Kafka did not answer.');
  assert.equal(await failing.metric('tailrace_errors_total', { class: 'transient' }), 1);
  const aborted = new Supervised();
  aborted.habits = { onStop: new DOMException('aborted', 'AbortError') };
  aborted.source.start();
  assert.equal(await aborted.source.stop(1_000), 'graceful');
});

test('a stop ends a pause at once; one before the start prevents it', async () => {
  const it = new Supervised();
  it.source.start();
  await it.fail(transient());
  assert.equal(await it.source.stop(1_000), 'graceful');
  assert.deepEqual(it.clock.pausesMs, []);
  assert.equal(it.runners.length, 1);
  const early = new Supervised();
  assert.equal(await early.source.stop(1_000), 'graceful');
  early.source.start();
  assert.equal(early.runners.length, 0);
});

test('a stop in the very moment in which a pause ends does not start another attempt', async () => {
  const it = new Supervised();
  it.source.start();
  await it.fail(transient());
  let stopping: Promise<string> | null = null;
  void it.clock.sleep(500, new AbortController().signal).then(() => {
    stopping = it.source.stop(1_000);
  });
  await it.clock.pass(500);
  assert.equal(await stopping, 'graceful');
  assert.equal(it.runners.length, 1);
  assert.equal(it.source.status().last_error?.code, 'SOME_CODE');
});

test('a stream without a sign of life is stuck; a long start or pause is not', async () => {
  const it = new Supervised();
  it.source.start();
  await it.clock.pass(3_600_000);
  assert.equal(it.source.stuck(), null);
  it.runner.stream();
  await it.clock.pass(30_000);
  assert.equal(it.source.stuck(), null);
  await it.clock.pass(1_000);
  assert.deepEqual(it.source.stuck(), {
    source: 'shop',
    state: 'streaming',
    detail: 'The loop has given no sign of life for 31 s.',
  });
  assert.notEqual(it.source.notReady(), null);
  it.runner.observer!.touch();
  assert.equal(it.source.stuck(), null);
});

test('lag is 0 when caught up, the age of the commit when not, and grows while nothing runs', async () => {
  const it = new Supervised();
  it.source.start();
  assert.equal(it.source.status().lag_seconds, null);
  const committedUs = it.clock.nowUs() - 40_000_000;
  it.runner.stream({ caughtUp: false, publishedCommitUs: committedUs });
  assert.equal(it.source.status().lag_seconds, 40);
  it.runner.observer!.progress({ ...IDLE, publishedCommitUs: committedUs });
  await it.clock.pass(5_000);
  assert.equal(it.source.status().lag_seconds, 0);
  it.runner.observer!.progress({ ...IDLE, publishedCommitUs: committedUs, caughtUp: true });
  await it.fail(new FatalError('x', context));
  await it.clock.pass(60_000);
  assert.equal(it.source.status().lag_seconds, 60, 'since it was last known to be caught up');
  it.source.refreshMetrics();
  assert.equal(await it.metric('tailrace_lag_seconds'), 60);
});

test('what a runner reports is shown as gauges; what nobody knows is absent', async () => {
  const it = new Supervised();
  it.source.start();
  it.source.refreshMetrics();
  assert.equal(await it.metric('tailrace_lag_seconds'), undefined);
  assert.equal(await it.metric('tailrace_postgres_retained_wal_bytes'), undefined);
  it.runner.stream({ inFlightBytes: 500, retainedWalBytes: 1_024 });
  it.source.refreshMetrics();
  assert.equal(await it.metric('tailrace_lag_seconds'), 0);
  assert.equal(await it.metric('tailrace_in_flight_bytes'), 500);
  assert.equal(await it.metric('tailrace_postgres_retained_wal_bytes'), 1_024);
  await it.fail(transient());
  it.source.refreshMetrics();
  assert.equal(await it.metric('tailrace_in_flight_bytes'), 0);
});

test('the age of the checkpoint grows while nothing runs that could save one', async () => {
  const it = new Supervised();
  it.source.start();
  it.source.refreshMetrics();
  assert.equal(await it.metric('tailrace_checkpoint_age_seconds'), undefined);
  it.runner.stream({ checkpointedAtMs: it.clock.nowMs() - 2_000 });
  it.source.refreshMetrics();
  assert.equal(await it.metric('tailrace_checkpoint_age_seconds'), 2);
  await it.fail(new FatalError('x', context));
  await it.clock.pass(60_000);
  it.source.refreshMetrics();
  assert.equal(await it.metric('tailrace_checkpoint_age_seconds'), 62);
});

test('late calls of an ended runner change nothing', async () => {
  const it = new Supervised();
  it.source.start();
  const old = it.runner;
  old.stream({ changes: 3 });
  await it.fail(transient());
  old.observer!.streaming();
  old.observer!.progress({ ...IDLE, changes: 1_000 });
  assert.equal(it.state, 'backing-off');
  assert.equal(it.source.status().changes_total, 3);
});

test('whatever happens in whatever order, moves are legal and the source can be stopped', async () => {
  const errors = [
    transient(),
    new ResyncRequiredError('x', context),
    new ConfigurationError('x', context),
    new FatalError('x', context),
    new Error('none'),
    'text',
  ];
  const event = fc.oneof(
    fc.constantFrom('stream', 'touch', 'resolve', 'late', 'kill', 'stop', 'start').map((kind) => ({ kind, n: 0 })),
    fc.record({ kind: fc.constant('fail'), n: fc.nat(errors.length - 1) }),
    fc.record({ kind: fc.constant('pass'), n: fc.integer({ min: 0, max: 120_000 }) }),
  );
  const habits = fc.record({
    onStop: fc.constantFrom('resolve' as const, 'ignore' as const, new Error('at stop')),
    onKill: fc.constantFrom('reject' as const, 'ignore' as const),
  });
  await fc.assert(
    fc.asyncProperty(habits, fc.array(event, { maxLength: 25 }), async (habit, events) => {
      const it = new Supervised();
      it.habits = habit;
      it.source.start();
      for (const { kind, n } of events) {
        if (kind === 'stream') it.runner.stream({ changes: n });
        else if (kind === 'touch') it.runner.observer!.touch();
        else if (kind === 'resolve') it.runner.resolve();
        else if (kind === 'late') it.runners[0]!.stream({ changes: 9 });
        else if (kind === 'kill') it.source.kill();
        else if (kind === 'stop') void it.source.stop(10_000);
        else if (kind === 'start') it.source.start();
        else if (kind === 'fail') it.runner.fail(errors[n]);
        else await it.clock.pass(n);
        if (n % 2 === 0) await settle();
        it.source.status();
        it.source.notReady();
      }
      const stopping = it.source.stop(10_000);
      await it.clock.pass(15_000);
      assert.match(await stopping, /^(graceful|error|killed|abandoned)$/);
      assert.equal(it.state, 'stopped');
      for (const { fields } of it.logger.lines) {
        if (fields.state === undefined) continue;
        assert.ok(SOURCE_TRANSITIONS[fields.from as SourceStateName].includes(fields.state as SourceStateName));
        assert.notEqual(fields.reason, 'SUPERVISION_BROKEN');
      }
    }),
    { numRuns: 300 },
  );
});
