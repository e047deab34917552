import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseGtidProgress } from '../../../../connectors/mysql/gtid-progress.ts';
import { LogProgress } from '../../../../connectors/mysql/log-progress.ts';
import { Gtid } from '../../../../connectors/mysql/protocol/gtid.ts';

const UUID = '3e11fa47-71ca-11e1-9e33-c80aa9429562';
const gtid = (number: number) => new Gtid(UUID, ':', number);
const from = { file: 'binlog.000009', pos: 700, gtids: parseGtidProgress('mysql', `${UUID}:1-5`), epoch: 0 };

test('the older file that a dump by GTIDs begins with is no step back', () => {
  const progress = new LogProgress('mysql', from);
  assert.deepEqual(progress.newResumePoint(), from, 'where it started is worth telling once');
  assert.equal(progress.newResumePoint(), null);
  progress.place.rotate('binlog.000008', 4);
  assert.equal(progress.newResumePoint(), null);
  progress.place.rotate('binlog.000009', 701);
  assert.equal(progress.newResumePoint()?.pos, 701);
  assert.equal(progress.newResumePoint(), null);
  progress.place.rotate('binlog.000010', 4);
  assert.equal(progress.newResumePoint()?.file, 'binlog.000010');
});

test('the end of a group is always told, with its GTID', () => {
  const progress = new LogProgress('mysql', from);
  progress.open(gtid(6), 700);
  progress.place.rotate('binlog.000009', 900);
  const { pos, gtids } = progress.close();
  assert.deepEqual([pos, String(gtids)], [900, `${UUID}:1-6`]);
  assert.equal(progress.newResumePoint(), null);
});

test('without GTIDs nothing is told beyond a prepared transaction that is undecided', () => {
  const progress = new LogProgress('mysql', { ...from, gtids: null });
  progress.open(null, 700);
  progress.prepared('x', progress.newBranch());
  progress.place.rotate('binlog.000009', 900);
  assert.deepEqual(progress.newResumePoint()?.pos, 700);
  progress.open(null, 900);
  progress.place.rotate('binlog.000009', 950);
  progress.decide('x');
  assert.equal(progress.close().pos, 950);
});
