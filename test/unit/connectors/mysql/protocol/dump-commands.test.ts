import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  binlogDump,
  binlogDumpGtid,
  DumpFlag,
  registerReplica,
} from '../../../../../connectors/mysql/protocol/dump-commands.ts';
import { GtidSet } from '../../../../../connectors/mysql/protocol/gtid-set.ts';
import { encodeGtidSet } from '../../../../../connectors/mysql/protocol/gtid-set-encoding.ts';

test('a dump from a place', () => {
  const packet = binlogDump('binlog.000007', 0xfeed_beef, DumpFlag.mysqlHeartbeatV2, 4711);
  assert.equal(packet.toString('hex'), `12efbeedfe020067120000${Buffer.from('binlog.000007').toString('hex')}`);
  assert.throws(() => binlogDump('binlog.000007', 0x1_0000_0000, 0, 1), RangeError);
});

test('a dump of what is not in a set', () => {
  const set = encodeGtidSet(GtidSet.parse('3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5'));
  assert.equal(
    set.toString('hex'),
    '01000000000000003e11fa4771ca11e19e33c80aa9429562010000000000000001000000000000000600000000000000',
  );
  const packet = binlogDumpGtid(set, DumpFlag.nonBlocking, 4711);
  const head = '1e0100671200000000000004000000000000003000' + '0000';
  assert.equal(packet.toString('hex'), head + set.toString('hex'));
});

test('the format with tags is used only for tags', () => {
  const set = encodeGtidSet(GtidSet.parse('3e11fa47-71ca-11e1-9e33-c80aa9429562:1:ab:7'));
  const uuid = '3e11fa4771ca11e19e33c80aa9429562';
  const interval = (first: string, behind: string): string =>
    `0100000000000000${first}00000000000000${behind}00000000000000`;
  assert.equal(
    set.toString('hex'),
    `0102000000000001${uuid}00${interval('01', '02')}${uuid}046162${interval('07', '08')}`,
  );
});

test('registration as a replica', () => {
  const packet = registerReplica(4711, 'tailrace');
  assert.equal(
    packet.toString('hex'),
    `156712000008${Buffer.from('tailrace').toString('hex')}0000${'0000'}${'00000000'}${'00000000'}`,
  );
});
