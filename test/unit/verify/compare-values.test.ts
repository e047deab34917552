import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { compareValues } from '../../../src/verify/compare-values.ts';
import { StateKind } from '../../../src/verify/topic-state.ts';
import type { ValueCandidate } from '../../../src/verify/value-candidates.ts';
import { loadForms, loadStates, numberOf, type TestState } from './entries.ts';

function compare(
  states: readonly TestState[],
  settled: number,
  values: readonly number[],
  outside: readonly number[] | null = null,
) {
  const differing: ValueCandidate[] = [];
  const forms = [
    ...values.map((key) => ({ key, row: 0 })),
    ...(outside ?? []).map((key) => ({ key, row: 0, isOutside: true })),
  ];
  const counts = compareValues(loadStates(states), settled, loadForms(forms), outside !== null, (found) =>
    differing.push(found),
  );
  return { ...counts, differing, keys: differing.map(({ key }) => numberOf(key)).sort((a, b) => a - b) };
}

it('counts how often a value was added more than taken away', () => {
  const { row, deleted } = StateKind;
  const states: TestState[] = [
    { kind: row, key: 1 },
    { kind: row, key: 1 },
    { kind: row, key: 2 },
    { kind: deleted, key: 2 },
  ];
  assert.equal(compare(states, 4, [1, 1]).equal, 2);
  const { differing, keys } = compare(states, 4, [1, 1, 1, 2]);
  assert.deepEqual(keys, [1, 2]);
  assert.deepEqual(differing.map(({ rows, records }) => [rows, records]).sort(), [
    [1, 0],
    [3, 2],
  ]);
});

it('lets a value be in the topic less often that a filter leaves out', () => {
  const { row, deleted } = StateKind;
  const states: TestState[] = [
    { kind: row, key: 1 },
    { kind: deleted, key: 2 },
    { kind: row, key: 3 },
    { kind: row, key: 3 },
    { kind: deleted, key: 4 },
  ];
  // Of 1 one row changed; 2 was deleted, and one like it is left; 3 is there once too often; 4 is gone, as it may.
  const { keys, equal, outside } = compare(states, 5, [1, 1, 2, 3, 5], [1, 1, 2, 3]);
  assert.deepEqual([keys, equal, outside], [[3, 5], 1, 2], 'and 5 passes the filter');
  assert.deepEqual(compare(states, 5, [1, 1, 2, 3, 5]).keys, [1, 2, 3, 4, 5], 'without a filter');
});

it('agrees with counting at every moment', () => {
  const state = fc.record({
    kind: fc.constantFrom(StateKind.row, StateKind.row, StateKind.deleted, StateKind.truncate),
    key: fc.nat(5),
  });
  fc.assert(
    fc.property(
      fc.array(state, { maxLength: 40 }),
      fc.nat(40),
      fc.array(fc.nat(5), { maxLength: 10 }),
      (states, at, values) => {
        const settled = Math.min(at, states.length);
        const expected: number[] = [];
        for (let key = 0; key <= 5; key++) {
          const rows = values.filter((value) => value === key).length;
          let records = 0;
          let isEqual = settled === 0 && rows === 0;
          states.forEach(({ kind, key: of }, position) => {
            if (kind === StateKind.truncate) records = 0;
            else if (of === key) records += kind === StateKind.row ? 1 : -1;
            if (position + 1 >= settled && records === rows) isEqual = true;
          });
          if (states.length === 0) isEqual = rows === 0;
          if (!isEqual) expected.push(key);
        }
        assert.deepEqual(compare(states, settled, values).keys, expected);
      },
    ),
    { numRuns: 500 },
  );
});
