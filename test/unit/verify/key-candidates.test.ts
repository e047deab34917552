import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Candidate } from '../../../src/verify/candidate.ts';
import { compareKeys } from '../../../src/verify/compare-keys.ts';
import { KeyCandidates } from '../../../src/verify/key-candidates.ts';
import { hashText, StateKind } from '../../../src/verify/topic-state.ts';
import { hashOf, loadForms, loadStates, stateOf, type TestForm, type TestState } from './entries.ts';

function open(states: readonly TestState[], forms: readonly TestForm[]): KeyCandidates {
  const found: Candidate[] = [];
  compareKeys(loadStates(states), states.length, loadForms(forms), (candidate) => found.push(candidate));
  return new KeyCandidates(found);
}

function reread(candidates: KeyCandidates, forms: readonly TestForm[]): void {
  for (const { key, row, columnSet = 0, chunk = 0 } of forms) {
    const hash = new Int32Array(4);
    const rowHash = new Int32Array(4);
    hashOf(key, hash);
    hashOf(row, rowHash);
    const form = { row: rowHash, columnSet, isTolerated: false };
    candidates.addForm({ key: hashText(hash, 0), chunk, rowKey: Buffer.from([key]), place: [String(key)] }, form);
  }
  candidates.endReading();
}

const { row, deleted, truncate } = StateKind;
const ROW: TestState = { kind: row, key: 1, row: 10 };

describe('a key that differs', () => {
  it('is equal as soon as its record comes, and is not looked at any more', () => {
    const candidates = open([ROW], [{ key: 1, row: 11 }]);
    candidates.apply(stateOf({ kind: row, key: 2, row: 11 }, 5));
    assert.equal(candidates.size, 1);
    candidates.apply(stateOf({ kind: row, key: 1, row: 11 }, 6));
    assert.deepEqual([candidates.size, candidates.equal], [0, 1]);
    candidates.apply(stateOf({ kind: row, key: 1, row: 12 }, 7));
    candidates.endRound(false);
    assert.deepEqual(candidates.confirmed, []);
  });

  it('is equal where the deletion comes, or the table is emptied', () => {
    const deletion = open([ROW], []);
    deletion.apply(stateOf({ kind: deleted, key: 1 }, 5));
    assert.equal(deletion.size, 0);
    const emptied = open([ROW], []);
    emptied.apply(stateOf({ kind: truncate, key: 0 }, 5));
    assert.equal(emptied.size, 0);
  });

  it('is different only after two looks at which neither side changed', () => {
    const forms = [{ key: 1, row: 11, chunk: 4 }];
    const candidates = open([ROW], forms);
    assert.deepEqual(candidates.chunks(), [4]);
    assert.equal(candidates.places(), null, 'only a row that was read again tells its place');
    reread(candidates, forms);
    candidates.endRound(false);
    assert.deepEqual([candidates.size, candidates.confirmed.length], [1, 0]);
    assert.deepEqual(candidates.places(), [['1']]);
    reread(candidates, forms);
    candidates.endRound(false);
    assert.equal(candidates.size, 0);
    const [found] = candidates.confirmed;
    assert.equal(found?.kind, 'different');
    assert.deepEqual(found?.rowKey, Buffer.from([1]));
  });

  it('is different after one look where the topic is known to hold all that was read', () => {
    const forms = [{ key: 1, row: 11 }];
    const candidates = open([ROW], forms);
    reread(candidates, [{ key: 1, row: 12 }]);
    candidates.endRound(true);
    assert.deepEqual([candidates.size, candidates.confirmed.length], [1, 0], 'its row has changed');
    reread(candidates, [{ key: 1, row: 12 }]);
    candidates.endRound(true);
    assert.deepEqual([candidates.size, candidates.confirmed.length], [0, 1]);
  });

  it('is looked at again where its row or its record changed meanwhile', () => {
    const candidates = open([ROW], [{ key: 1, row: 11 }]);
    for (let round = 0; round < 5; round++) {
      reread(candidates, [{ key: 1, row: 12 + (round % 2) }]);
      candidates.endRound(false);
      assert.deepEqual([candidates.size, candidates.confirmed.length], [1, 0], `round ${round}`);
    }
    reread(candidates, [{ key: 1, row: 12 }]);
    for (let round = 0; round < 5; round++) {
      candidates.apply(stateOf({ kind: row, key: 1, row: 30 + round }, 20 + round));
      reread(candidates, [{ key: 1, row: 12 }]);
      candidates.endRound(false);
      assert.equal(candidates.size, 1, `record ${round}`);
    }
    reread(candidates, [{ key: 1, row: 34 }]);
    assert.deepEqual([candidates.size, candidates.equal], [0, 1], 'equal when read again');
  });

  it('is missing without a record, and extra without a row', () => {
    const candidates = open(
      [ROW, { kind: row, key: 3, row: 1 }, { kind: deleted, key: 3 }],
      [
        { key: 2, row: 1 },
        { key: 3, row: 1 },
      ],
    );
    assert.equal(candidates.chunks(), null, 'where a row should be is not known');
    for (let round = 0; round < 2; round++) {
      reread(candidates, [
        { key: 2, row: 1 },
        { key: 3, row: 1 },
      ]);
      candidates.endRound(false);
    }
    assert.deepEqual(candidates.confirmed.map(({ kind }) => kind).sort(), ['extra', 'missing', 'missing']);
    const extra = candidates.confirmed.find(({ kind }) => kind === 'extra');
    assert.deepEqual([extra?.rowKey, extra?.record?.offset], [null, 0]);
  });

  it('keeps its newest record when older ones come from another partition', () => {
    const candidates = open([{ ...ROW, partition: 0, timestampMs: 100 }], [{ key: 1, row: 11 }]);
    candidates.apply(stateOf({ kind: row, key: 1, row: 11, partition: 1, timestampMs: 50 }, 1));
    assert.equal(candidates.size, 1);
    candidates.apply(stateOf({ kind: row, key: 1, row: 11, partition: 1, timestampMs: 150 }, 2));
    assert.equal(candidates.size, 0);
  });
});
