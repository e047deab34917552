import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { AckTracker } from '../../../src/pipeline/ack-tracker.ts';

test('advances in arrival order whatever order batches settle in', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ holds: fc.integer({ min: 0, max: 3 }), boundary: fc.boolean() })),
      fc.infiniteStream(fc.nat()),
      (batches, picks) => {
        const advanced: number[] = [];
        const order = new Map<object, number>();
        const tracker = new AckTracker<number>((batch) => advanced.push(order.get(batch)!));
        const outstanding: { entry: ReturnType<typeof tracker.open>; index: number }[] = [];
        const unsettled = new Map<number, number>();
        batches.forEach(({ holds, boundary }, index) => {
          const entry = tracker.open();
          order.set(entry, index);
          unsettled.set(index, holds);
          for (let i = 0; i < holds; i += 1) {
            entry.ticket.hold();
            outstanding.push({ entry, index });
          }
          if (boundary) entry.resumeAt = index;
          entry.ticket.seal();
        });
        while (outstanding.length > 0) {
          const [done] = outstanding.splice(picks.next().value % outstanding.length, 1);
          unsettled.set(done!.index, unsettled.get(done!.index)! - 1);
          done!.entry.ticket.release();
          const firstOpen = batches.findIndex((_, i) => unsettled.get(i)! > 0);
          const settledPrefix = firstOpen < 0 ? batches.length : firstOpen;
          assert.deepEqual(advanced, [...Array(settledPrefix).keys()]);
        }
        assert.deepEqual(advanced, [...batches.keys()]);
        assert.equal(tracker.isEmpty, true);
      },
    ),
  );
});

test('a batch settles only once it is sealed', () => {
  const advanced: (number | null)[] = [];
  const tracker = new AckTracker<number>((batch) => advanced.push(batch.resumeAt));
  const entry = tracker.open();
  entry.ticket.hold();
  entry.ticket.release();
  assert.deepEqual(advanced, []);
  entry.resumeAt = 7;
  entry.ticket.seal();
  assert.deepEqual(advanced, [7]);
});

test('an empty batch settles at once when nothing is before it', () => {
  let advanced = 0;
  const tracker = new AckTracker<number>(() => {
    advanced += 1;
  });
  for (let i = 0; i < 1_000; i += 1) tracker.open().ticket.seal();
  assert.equal(advanced, 1_000);
  assert.equal(tracker.isEmpty, true);
});
