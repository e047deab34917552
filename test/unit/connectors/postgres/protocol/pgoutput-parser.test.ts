import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MessageType } from '../../../../../connectors/postgres/protocol/pgoutput-messages.ts';
import {
  checkType,
  parseBegin,
  parseCommit,
  parseMessage,
  parseOrigin,
  parseRelation,
  parseTruncate,
} from '../../../../../connectors/postgres/protocol/pgoutput-parser.ts';
import { ProtocolError } from '../../../../../connectors/postgres/protocol/protocol-error.ts';

const whole = <T>(parse: (bytes: Buffer, start: number, end: number) => T, hex: string): T => {
  const bytes = Buffer.from(hex, 'hex');
  return parse(bytes, 0, bytes.length);
};

// Recorded from PostgreSQL 17.
const BEGIN = '42000000000389be90000303bd419fe3ef0000037b';
const COMMIT = '4300000000000389be90000000000389bec0000303bd419fe3ef';
const RELATION =
  '5200004bbb7075626c69630062795f696e646578006900030069640000000017ffffffff01636f64650000000019ffffffff00760000000019ffffffff';
const ORIGIN = '4f0000000000abcdef7461696c726163655f6669787475726500';
const TYPE = '5900004ba87075626c6963006d6f6f6400';
const TRUNCATE = '54000000020000004bad00004bb4';
const MESSAGE = '4d00000000000389eba06f757473696465000000000200ff';

test('begin and commit', () => {
  // 0x000303bd419fe3ef microseconds after 2000-01-01.
  const commitTimeUs = Number(0x000303bd419fe3efn) + Date.UTC(2000, 0, 1) * 1000;
  assert.deepEqual(whole(parseBegin, BEGIN), { finalLsn: { high: 0, low: 0x389be90 }, commitTimeUs, xid: 0x37b });
  assert.deepEqual(whole(parseCommit, COMMIT), {
    commitLsn: { high: 0, low: 0x389be90 },
    endLsn: { high: 0, low: 0x389bec0 },
    commitTimeUs,
  });
});

test('a transaction id above 2^31 stays positive', () => {
  assert.equal(whole(parseBegin, `${BEGIN.slice(0, -8)}fffffffe`).xid, 0xffff_fffe);
});

test('a relation has its columns, the flagged ones being its identity', () => {
  assert.deepEqual(whole(parseRelation, RELATION), {
    oid: 0x4bbb,
    schema: 'public',
    name: 'by_index',
    replicaIdentity: 'i',
    columns: [
      { isKey: false, name: 'id', typeOid: 23, typmod: -1 },
      { isKey: true, name: 'code', typeOid: 25, typmod: -1 },
      { isKey: false, name: 'v', typeOid: 25, typmod: -1 },
    ],
  });
});

test('origin, truncate and messages', () => {
  assert.deepEqual(whole(parseOrigin, ORIGIN), { lsn: { high: 0, low: 0xabcdef }, name: 'tailrace_fixture' });
  assert.deepEqual(whole(parseTruncate, TRUNCATE), { relationOids: [0x4bad, 0x4bb4] });
  assert.deepEqual(whole(parseMessage, MESSAGE), {
    transactional: false,
    lsn: { high: 0, low: 0x389eba0 },
    prefix: 'outside',
    contentStart: 22,
    contentEnd: 24,
  });
  whole(checkType, TYPE);
});

test('a message cut anywhere, or followed by anything, is a ProtocolError', () => {
  const parsers: [string, (bytes: Buffer, start: number, end: number) => unknown][] = [
    [BEGIN, parseBegin],
    [COMMIT, parseCommit],
    [RELATION, parseRelation],
    [ORIGIN, parseOrigin],
    [TYPE, checkType],
    [TRUNCATE, parseTruncate],
    [MESSAGE, parseMessage],
  ];
  for (const [hex, parse] of parsers) {
    // What follows in the same arena must not be read as part of the message.
    const bytes = Buffer.concat([Buffer.from(hex, 'hex'), Buffer.alloc(64, 1)]);
    const length = hex.length / 2;
    for (let end = 1; end < length; end++) assert.throws(() => parse(bytes, 0, end), ProtocolError, `${hex} at ${end}`);
    assert.throws(() => parse(bytes, 0, length + 1), ProtocolError, hex);
  }
  assert.equal(Buffer.from(TYPE, 'hex')[0], MessageType.type);
});
