import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FatalError } from '../../../src/core/errors.ts';
import { SOURCE_STATES, type SourceStateName } from '../../../src/core/source-status.ts';
import { PrometheusMetrics } from '../../../src/observability/prometheus-metrics.ts';
import { SOURCE_TRANSITIONS, SourceStateMachine } from '../../../src/supervisor/state-machine.ts';
import { parseExposition } from '../../support/exposition.ts';
import { FakeClock } from './fake-clock.ts';
import { RecordingLogger } from './recording-logger.ts';

/** Row: from; column: to; both in the order of SOURCE_STATES. Written out so that a change of the table is a decision. */
const TABLE: Readonly<Record<SourceStateName, string>> = {
  //                  st sn sr pa co bo rr fa sg sd
  starting: '          .  x  x  x  x  x  x  x  x  .',
  snapshotting: '      .  .  x  x  x  x  x  x  x  .',
  streaming: '         .  x  .  x  x  x  x  x  x  .',
  paused: '            x  .  .  .  .  .  .  .  x  .',
  completed: '         x  .  .  .  .  .  .  .  x  .',
  'backing-off': '     x  .  .  x  .  .  .  x  x  .',
  'resync-required': ' x  .  .  .  .  .  .  .  x  .',
  failed: '            x  .  .  .  .  .  .  .  x  .',
  stopping: '          .  .  .  .  .  .  .  .  .  x',
  stopped: '           .  .  .  .  .  .  .  .  .  .',
};

/** A way from `starting` to each state. */
const WAYS: Readonly<Record<SourceStateName, readonly SourceStateName[]>> = {
  starting: [],
  snapshotting: ['snapshotting'],
  streaming: ['streaming'],
  paused: ['streaming', 'paused'],
  completed: ['snapshotting', 'completed'],
  'backing-off': ['backing-off'],
  'resync-required': ['resync-required'],
  failed: ['failed'],
  stopping: ['stopping'],
  stopped: ['stopping', 'stopped'],
};

function machineIn(state: SourceStateName) {
  const clock = new FakeClock();
  const logger = new RecordingLogger();
  const metrics = new PrometheusMetrics({ processMetrics: false });
  const machine = new SourceStateMachine({ source: 'shop', clock, logger, metrics });
  for (const step of WAYS[state]) machine.moveTo(step, 'on the way');
  const read = async () => parseExposition((await metrics.render()).body);
  return { machine, clock, logger, read };
}

async function assertOnlyGauge(read: ReturnType<typeof machineIn>['read'], current: SourceStateName): Promise<void> {
  const exposition = await read();
  for (const state of SOURCE_STATES) {
    const value = exposition.value('tailrace_source_state', { source: 'shop', state });
    assert.equal(value, state === current ? 1 : 0, state);
  }
}

test('every pair of states is allowed or refused as the table says', async () => {
  for (const from of SOURCE_STATES) {
    const row = TABLE[from].trim().split(/\s+/);
    for (const [column, to] of SOURCE_STATES.entries()) {
      const { machine, logger, read } = machineIn(from);
      const before = logger.lines.length;
      assert.equal(machine.canMoveTo(to), row[column] === 'x', `${from} → ${to}`);
      if (row[column] === 'x') {
        machine.moveTo(to, 'test');
        assert.equal(machine.state, to);
        assert.equal(logger.lines.length, before + 1);
        await assertOnlyGauge(read, to);
      } else {
        assert.throws(() => machine.moveTo(to, 'test'), FatalError, `${from} → ${to}`);
        assert.equal(machine.state, from);
        assert.equal(logger.lines.length, before);
        await assertOnlyGauge(read, from);
      }
    }
  }
});

test('from every state but the last two a stop is one move away', () => {
  for (const state of SOURCE_STATES) {
    if (state === 'stopping' || state === 'stopped') continue;
    assert.ok(SOURCE_TRANSITIONS[state].includes('stopping'), state);
  }
});

test('a move is logged with both states and its reason, counted, and sets the time', async () => {
  const { machine, clock, logger, read } = machineIn('starting');
  await clock.pass(1_234);
  const error = new Error('x');
  machine.moveTo('failed', 'SOME_CODE', { error });
  assert.equal(machine.sinceMs, clock.nowMs());
  assert.deepEqual(logger.lines.at(-1), {
    level: 'error',
    fields: { from: 'starting', state: 'failed', reason: 'SOME_CODE', error },
    message: 'source is failed',
  });
  const exposition = await read();
  const count = (state: string) => exposition.value('tailrace_source_transitions_total', { source: 'shop', state });
  assert.deepEqual([count('starting'), count('failed'), count('stopped')], [1, 1, 0]);
});
