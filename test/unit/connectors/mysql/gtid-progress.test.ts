import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type GtidProgress, parseGtidProgress } from '../../../../connectors/mysql/gtid-progress.ts';
import { Gtid } from '../../../../connectors/mysql/protocol/gtid.ts';
import { GtidSet } from '../../../../connectors/mysql/protocol/gtid-set.ts';
import { ProtocolError } from '../../../../connectors/mysql/protocol/protocol-error.ts';

const A = '3e11fa47-71ca-11e1-9e33-c80aa9429562';
const B = '4e11fa47-71ca-11e1-9e33-c80aa9429562';

function gtid(source: string, number: number): Gtid {
  return new Gtid(source, ':', number);
}

test('the history and what came after it are one set', () => {
  let progress = parseGtidProgress('mysql', `${A}:1-5,${B}:1-3`);
  progress = progress
    .with(gtid(A, 6))
    .with(gtid(A, 7))
    .with(gtid(`${A}:tag`, 1))
    .with(gtid(B, 5))
    .with(gtid(A, 7));
  assert.equal(progress.toString(), `${A}:1-7:tag:1,${B}:1-3:5`);
});

test('what is not added stays a hole until it is', () => {
  const open = parseGtidProgress('mysql', `${A}:1-5`).with(gtid(A, 7)).with(gtid(A, 8));
  assert.equal(open.toString(), `${A}:1-5:7-8`);
  assert.equal(open.with(gtid(A, 6)).toString(), `${A}:1-8`);
});

test('progress does not change with what comes after it', () => {
  const early = parseGtidProgress('mysql', `${A}:1-5`).with(gtid(A, 6));
  early.with(gtid(A, 7));
  early.with(gtid(B, 1));
  assert.equal(early.toString(), `${A}:1-6`);
});

test('any order of GTIDs gives the set of them', () => {
  const picks = fc.array(fc.tuple(fc.constantFrom(A, B, `${A}:t`, `${B}:t`), fc.integer({ min: 1, max: 40 })));
  fc.assert(
    fc.property(picks, (picked) => {
      let progress: GtidProgress = parseGtidProgress('mysql', `${A}:1-3`);
      let set = GtidSet.parse(`${A}:1-3`);
      for (const [source, number] of picked) {
        progress = progress.with(gtid(source, number));
        set = set.union(GtidSet.parse(`${source}:${number}`));
      }
      assert.equal(progress.toString(), set.toString());
    }),
  );
});

test('a position of MariaDB has the last transaction of each domain', () => {
  const progress = parseGtidProgress('mariadb', '0-1-5,1-1-7');
  const first = progress.with(new Gtid('0-2', '-', 6));
  assert.equal(first.toString(), '0-2-6,1-1-7');
  const next = first.with(new Gtid('0-2', '-', 9));
  assert.equal(next.toString(), '0-2-9,1-1-7');
  assert.equal(next.with(new Gtid('5-1', '-', 1)).toString(), '0-2-9,1-1-7,5-1-1');
  assert.equal(
    next
      .with(new Gtid('0-1', '-', 10))
      .with(new Gtid('1-2', '-', 8))
      .toString(),
    '0-1-10,1-2-8',
  );
  assert.equal(progress.toString(), '0-1-5,1-1-7');
});

test('an empty history, and text that is none', () => {
  assert.equal(parseGtidProgress('mysql', '').toString(), '');
  assert.equal(parseGtidProgress('mariadb', '').toString(), '');
  assert.throws(() => parseGtidProgress('mysql', '0-1-5'), ProtocolError);
  assert.throws(() => parseGtidProgress('mariadb', `${A}:1`), ProtocolError);
});
