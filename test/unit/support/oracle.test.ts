import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Fold } from '../../support/fold.ts';
import type { OracleRecord } from '../../support/oracle-record.ts';
import { PartitionReplay } from '../../support/oracle-replay.ts';
import { expectedValue } from '../../support/workload-values.ts';

/*
 * An oracle that lets everything pass would let every promise pass: here it is shown each kind of mistake.
 */

const PLACEHOLDER = '__debezium_unavailable_value';

/** The change of `key` to `version` by transaction `transaction`. */
function change(transaction: number, key: number, version: number, more: Partial<OracleRecord> = {}): OracleRecord {
  const after = new Map<string, string | null>([
    ['id', String(key)],
    ['v', String(version)],
    ['t_1', expectedValue('t', key, BigInt(version), 't_1')[0]!],
  ]);
  return {
    table: 't',
    partition: 0,
    offset: 0,
    op: version === 1 ? 'c' : 'u',
    key,
    before: null,
    after,
    identity: `${transaction}:${key}:${version}`,
    digest: `content of ${key} ${version}`,
    schemaIds: '1/2',
    transaction: String(transaction),
    lastCommit: BigInt(transaction * 10),
    order: null,
    bytes: 0,
    ...more,
  };
}

function replayOf(records: readonly OracleRecord[]): { problems: string[]; replay: PartitionReplay } {
  const problems: string[] = [];
  const replay = new PartitionReplay('t/0', (problem) => problems.push(problem));
  for (const record of records) replay.accept(record);
  return { problems, replay };
}

function foldOf(records: readonly OracleRecord[], table = 't'): { problems: string[]; fold: Fold } {
  const problems: string[] = [];
  const fold = new Fold(table, (problem) => problems.push(problem));
  for (const record of records) fold.apply(record);
  return { problems, fold };
}

describe('a partition', () => {
  const [a, b1, b2, c] = [change(1, 1, 1), change(2, 2, 1), change(2, 3, 1), change(3, 4, 1)];

  test('may be repeated from a transaction on, more than once', () => {
    const { problems, replay } = replayOf([a, b1, b2, b1, b2, c, b1, b1, b2, c, change(4, 5, 1)]);
    assert.deepEqual(problems, []);
    assert.equal(replay.replays, 3);
    assert.equal(replay.duplicates, 6);
  });

  for (const [what, records, problem] of [
    ['a replay that begins inside a transaction', [a, b1, b2, b2], /in the middle/],
    ['a replay that leaves something out', [a, b1, b2, a, b2], /skips 1 record/],
    ['a replay that stops before it has caught up', [a, b1, b2, a, c], /has not repeated 2/],
    ['another content in a replay', [a, b1, a, { ...b1, digest: 'x' }], /another content/],
    ['another schema in a replay', [a, a, { ...a, schemaIds: '1/3' }], /schemas 1\/3, was 1\/2/],
    ['a later commit before an earlier one', [c, a], /after a later commit/],
  ] as const) {
    test(`${what} is found`, () => {
      const { problems } = replayOf(records);
      assert.equal(problems.length, 1, problems.join('\n'));
      assert.match(problems[0]!, problem);
    });
  }
});

describe('the history of a key', () => {
  const deleted = (transaction: number, key: number) => change(transaction, key, 0, { op: 'd', after: null });

  test('goes on from version to version, a delete being one', () => {
    const { problems, fold } = foldOf([
      change(1, 1, 1),
      change(2, 1, 2),
      deleted(3, 1),
      change(3, 1, 1, { op: 'tombstone', after: null }),
      change(4, 1, 4, { op: 'c' }),
      change(5, 2, 1),
      { ...deleted(6, 2), op: 't', key: null },
    ]);
    assert.deepEqual(problems, []);
    assert.deepEqual([fold.keys.get(1)?.version, fold.keys.get(2)?.version], [5n, 2n]);
    assert.equal(fold.keys.get(1)?.row, null);
  });

  for (const [what, records, problem] of [
    ['a lost update', [change(1, 1, 1), change(2, 1, 3)], /version 3 after 1/],
    ['a step back', [change(1, 1, 1), change(2, 1, 2), change(3, 1, 1, { op: 'u' })], /version 1 after 2/],
    ['a delete of nothing', [deleted(1, 1)], /deletes a key that is not there/],
    ['an insert over a row', [change(1, 1, 1), change(2, 1, 2, { op: 'c' })], /wrong state/],
    ['an old row of another version', [change(1, 1, 1), change(2, 1, 2, { before: new Map([['v', '7']]) })], /not 1/],
    [
      'a wrong value',
      [
        change(1, 1, 1, {
          after: new Map([
            ['id', '1'],
            ['v', '1'],
            ['t_1', 'mangled'],
          ]),
        }),
      ],
      /wrong value in t_1/,
    ],
  ] as const) {
    test(`${what} is found`, () => {
      const { problems } = foldOf(records);
      assert.ok(problems.length > 0);
      assert.match(problems[0]!, problem);
    });
  }

  test('a large value that did not change is kept, and one that is missing is found', () => {
    const large = (version: number, since: number, value: string) =>
      change(version, 1, version, {
        after: new Map([
          ['id', '1'],
          ['v', String(version)],
          ['big', value],
          ['big_v', String(since)],
        ]),
      });
    const first = expectedValue('t', 1, 1n, 'big')[0]!;
    const kept = foldOf([large(1, 1, first), large(2, 1, PLACEHOLDER)]);
    assert.deepEqual(kept.problems, []);
    assert.equal(kept.fold.keys.get(1)?.row?.get('big'), first);
    assert.match(foldOf([large(1, 1, first), large(2, 2, PLACEHOLDER)]).problems[0]!, /lacks a large value/);
  });
});
