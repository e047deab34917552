import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeStandbyStatus } from '../../../../../connectors/postgres/protocol/standby-status.ts';
import { startReplicationCommand } from '../../../../../connectors/postgres/protocol/start-replication.ts';

test('a status confirms exactly what it is told to', () => {
  const message = encodeStandbyStatus({
    written: { high: 1, low: 0xffff_ffff },
    flushed: { high: 1, low: 0x10 },
    // One second and one microsecond after the epoch of Postgres.
    nowUs: Date.UTC(2000, 0, 1) * 1000 + 1_000_001,
    requestReply: true,
  });
  assert.equal(
    message.toString('hex'),
    ['72', '00000001ffffffff', '0000000100000010', '0000000100000010', '00000000000f4241', '01'].join(''),
  );
});

test('names are quoted twice: as identifiers, in a literal', () => {
  assert.equal(
    startReplicationCommand('my_slot', ['Shop', `o'dd"`], 2),
    `START_REPLICATION SLOT "my_slot" LOGICAL 0/0 (proto_version '2', publication_names '"Shop","o''dd"""', messages 'true')`,
  );
});
