import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Candidate } from '../../../src/verify/candidate.ts';
import { compareKeys } from '../../../src/verify/compare-keys.ts';
import { StateKind } from '../../../src/verify/topic-state.ts';
import { loadForms, loadStates, numberOf, type TestForm, type TestState } from './entries.ts';

function compare(states: readonly TestState[], settled: number, forms: readonly TestForm[]) {
  const differing: Candidate[] = [];
  const counts = compareKeys(loadStates(states), settled, loadForms(forms), (candidate) => differing.push(candidate));
  return { counts, differing, keys: differing.map(({ key }) => numberOf(key)).sort((a, b) => a - b) };
}

const { row, deleted, partial, truncate, damaged } = StateKind;

describe('a key of a topic and its row', () => {
  it('are equal where the newest settled record has the row, or where there is neither', () => {
    const states: TestState[] = [
      { kind: row, key: 1, row: 10 },
      { kind: row, key: 1, row: 11 },
      { kind: row, key: 2, row: 20 },
      { kind: deleted, key: 2 },
    ];
    const { keys, counts } = compare(states, 4, [{ key: 1, row: 11 }]);
    assert.deepEqual(keys, []);
    assert.equal(counts.equal, 1);
    // An earlier state that the topic had left when the table was read does not count.
    assert.deepEqual(compare(states, 4, [{ key: 1, row: 10 }]).keys, [1]);
    assert.deepEqual(compare(states, 4, []).keys, [1]);
    assert.deepEqual(
      compare(states, 4, [
        { key: 1, row: 11 },
        { key: 2, row: 20 },
      ]).keys,
      [2],
    );
  });

  it('may be without a record where a filter leaves the row out, and only then', () => {
    const states: TestState[] = [
      { kind: row, key: 1, row: 10 },
      { kind: row, key: 2, row: 20 },
      { kind: row, key: 3, row: 30 },
      { kind: deleted, key: 3 },
    ];
    const forms = [1, 2, 3, 4, 5].map((key) => ({ key, row: key === 2 ? 21 : key * 10 }));
    const leftOut = [1, 2, 3, 4].map((key) => ({ key, row: 0, isOutside: true }));
    const { keys, counts } = compare(states, 4, [...forms, ...leftOut]);
    assert.deepEqual(keys, [2, 3, 5], 'a row that changed has to be there as it is');
    assert.deepEqual(counts, { equal: 1, partial: 0, tolerated: 0, outside: 1 });
  });

  it('are equal where the topic comes to the row later, even if it has left it by now', () => {
    const states: TestState[] = [
      { kind: row, key: 1, row: 10 },
      { kind: row, key: 1, row: 11 },
      { kind: row, key: 1, row: 12 },
    ];
    for (const [value, expected] of [
      [10, []],
      [11, []],
      [12, []],
      [13, [1]],
    ] as const) {
      assert.deepEqual(compare(states, 1, [{ key: 1, row: value }]).keys, expected, `row ${value}`);
    }
    assert.deepEqual(
      compare(
        [
          { kind: row, key: 1, row: 1 },
          { kind: deleted, key: 1 },
        ],
        1,
        [],
      ).keys,
      [],
    );
    assert.deepEqual(compare([{ kind: row, key: 1, row: 1 }], 0, []).keys, [], 'made after the table was read');
  });

  it('are compared without the columns that the record lacks, and only then', () => {
    const states: TestState[] = [{ kind: partial, key: 1, row: 77, columnSet: 3 }];
    const forms: TestForm[] = [
      { key: 1, row: 10 },
      { key: 1, row: 77, columnSet: 3 },
    ];
    assert.deepEqual(compare(states, 1, forms).counts, { equal: 1, partial: 1, tolerated: 0, outside: 0 });
    assert.deepEqual(compare(states, 1, [{ key: 1, row: 77 }]).keys, [1], 'a whole row is another form');
    assert.deepEqual(compare(states, 1, [{ key: 1, row: 77, columnSet: 2 }]).keys, [1]);
    assert.deepEqual(compare([{ kind: row, key: 1, row: 77 }], 1, [{ key: 1, row: 77, columnSet: 3 }]).keys, [1]);
  });

  it('are never equal where the record cannot be read', () => {
    assert.deepEqual(compare([{ kind: damaged, key: 1, row: 10 }], 1, [{ key: 1, row: 10 }]).keys, [1]);
    assert.deepEqual(compare([{ kind: damaged, key: 1 }], 1, []).keys, [1]);
  });

  it('are gone with a truncate that came after', () => {
    const emptied: TestState[] = [
      { kind: row, key: 1, row: 10 },
      { kind: truncate, key: 0 },
      { kind: row, key: 2, row: 20 },
    ];
    assert.deepEqual(compare(emptied, 3, [{ key: 2, row: 20 }]).keys, []);
    assert.deepEqual(compare(emptied, 3, [{ key: 1, row: 10 }]).keys, [1, 2]);
    assert.deepEqual(compare(emptied, 1, []).keys, [], 'emptied after the table was read');
    // In another partition the time decides.
    const elsewhere = (timestampMs: number): TestState[] => [
      { kind: truncate, key: 0, partition: 1, timestampMs: 5 },
      { kind: row, key: 1, row: 10, partition: 0, timestampMs },
    ];
    assert.deepEqual(compare(elsewhere(4), 2, []).keys, []);
    assert.deepEqual(compare(elsewhere(6), 2, []).keys, [1]);
    assert.deepEqual(compare(elsewhere(6), 2, [{ key: 1, row: 10 }]).keys, []);
  });

  it('keep their newest record when the number of partitions grew', () => {
    const states: TestState[] = [
      { kind: row, key: 1, row: 11, partition: 0, offset: 9, timestampMs: 100 },
      { kind: row, key: 1, row: 10, partition: 1, offset: 3, timestampMs: 50 },
    ];
    assert.deepEqual(compare(states, 2, [{ key: 1, row: 11 }]).keys, []);
    assert.deepEqual(compare(states, 2, [{ key: 1, row: 10 }]).keys, [1]);
  });

  it('tell what differs', () => {
    const { differing } = compare([{ kind: row, key: 1, row: 10, partition: 2, offset: 42 }], 1, [
      { key: 1, row: 9, chunk: 5 },
    ]);
    const [found] = differing;
    assert.equal(found?.chunk, 5);
    assert.deepEqual([found?.topic?.partition, found?.topic?.offset], [2, 42]);
    assert.equal(found?.forms.length, 1);
  });
});

it('agrees with a comparison of every state with every row', () => {
  const state = fc.record({
    kind: fc.constantFrom(row, row, row, deleted, truncate, damaged),
    key: fc.nat(20),
    row: fc.nat(2),
  });
  const table = fc.dictionary(fc.nat(20).map(String), fc.nat(2));
  fc.assert(
    fc.property(fc.array(state, { maxLength: 60 }), fc.nat(60), table, (states, at, rows) => {
      const settled = Math.min(at, states.length);
      const expected = new Set<number>();
      for (let key = 0; key <= 20; key++) {
        const inTable = rows[String(key)] ?? null;
        let now: number | null = null;
        let isEqual = settled === 0 && inTable === null;
        states.forEach(({ kind, key: of, row: value }, position) => {
          if (kind === truncate) now = null;
          else if (of === key) now = kind === row ? value : kind === deleted ? null : -1;
          if (position + 1 >= settled && now === inTable) isEqual = true;
        });
        if (states.length === 0 || (settled === 0 && inTable === null)) isEqual = inTable === null;
        if (!isEqual) expected.add(key);
      }
      const forms = Object.entries(rows).map(([key, value]) => ({ key: Number(key), row: value }));
      assert.deepEqual(compare(states, settled, forms).keys, [...expected]);
    }),
    { numRuns: 500 },
  );
});
