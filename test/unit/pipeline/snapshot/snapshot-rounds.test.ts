import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { SnapshotHold } from '../../../../src/core/snapshot-progress.ts';
import { ModelDaemon } from './model-daemon.ts';
import { ModelSource } from './model-source.ts';

const KEYS = 12;

/** What happens next, chosen by numbers that fast-check can shrink. */
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('write' as const),
      choice: fc.nat(),
      size: fc.integer({ min: 1, max: 3 }),
    }),
  },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('show' as const), choice: fc.nat() }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('stream' as const), count: fc.integer({ min: 1, max: 4 }) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('round' as const),
      rows: fc.integer({ min: 1, max: 5 }),
      readers: fc.integer({ min: 1, max: 3 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('checkpoint' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('crash' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('truncate' as const) }) },
);

const scenario = fc.record({
  before: fc.array(fc.record({ choice: fc.nat(), size: fc.integer({ min: 1, max: 3 }) }), { maxLength: 12 }),
  bounds: fc.uniqueArray(fc.integer({ min: 1, max: KEYS - 1 }), { maxLength: 2 }),
  steps: fc.array(step, { minLength: 1, maxLength: 60 }),
});

const HOLDS: readonly [string, SnapshotHold | null][] = [
  ['while the stream goes on', null],
  ['while the stream rests once it has passed the view', { from: 'view' }],
  ['before the stream', { from: 'start', oldest: null, read: null }],
];

for (const [when, hold] of HOLDS)
  test(`read ${when}: what is folded is what the table holds, and no key steps back outside of a replay`, () => {
    fc.assert(
      fc.property(scenario, ({ before, bounds, steps }) => {
        const source = new ModelSource(KEYS);
        for (const { choice, size } of before) source.write(choice, size);
        source.showAll();
        const daemon = new ModelDaemon(
          source,
          bounds.sort((a, b) => a - b),
          hold,
        );
        for (const each of steps) {
          switch (each.kind) {
            case 'write':
              source.write(each.choice, each.size);
              break;
            case 'show':
              source.show(each.choice);
              break;
            case 'truncate':
              if (!daemon.holdsView) source.truncate();
              break;
            case 'stream':
              daemon.stream(each.count);
              break;
            case 'round':
              daemon.atBoundary(each.rows, each.readers);
              break;
            case 'checkpoint':
              daemon.saveCheckpoint();
              break;
            default:
              daemon.crash();
          }
        }
        source.showAll();
        daemon.finish();
        assert.deepEqual(daemon.folded(), source.rows());
      }),
      { numRuns: 2_000 },
    );
  });
