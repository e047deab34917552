import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MariadbGtidPosition } from '../../../../../connectors/mysql/protocol/mariadb-gtid-position.ts';
import { ProtocolError } from '../../../../../connectors/mysql/protocol/protocol-error.ts';

const at = (text: string) => MariadbGtidPosition.parse(text);

test('text comes back sorted by domain', () => {
  for (const [text, canonical] of [
    ['', ''],
    ['0-1-5', '0-1-5'],
    ['10-1-5, 2-3-7', '2-3-7,10-1-5'],
    ['4294967295-4294967295-9007199254740991', '4294967295-4294967295-9007199254740991'],
  ] as const) {
    assert.equal(at(text).toString(), canonical);
  }
});

test('what is not a position is refused', () => {
  for (const text of ['0-1', '0-1-', '0-1-x', '0-1-5,0-2-6', '4294967296-1-1', '0-1-9007199254740992', 'a:1-5']) {
    assert.throws(() => at(text), ProtocolError, text);
  }
});

test('positions compare domain by domain', () => {
  assert.ok(at('0-1-5').compare(at('0-1-4'), 0) > 0);
  assert.equal(at('0-1-5').compare(at('0-2-5'), 0), 0);
  assert.ok(at('0-1-5').compare(at('1-1-1'), 1) < 0);
  assert.ok(at('0-1-5,1-1-7').covers(at('0-1-5')));
  assert.ok(at('0-1-5,1-1-7').covers(at('')));
  assert.ok(!at('0-1-5').covers(at('0-1-4,1-1-1')));
  assert.ok(!at('0-1-5').covers(at('0-1-6')));
});

test('a transaction replaces the last of its domain', () => {
  const position = at('0-1-5,1-1-7');
  assert.equal(position.with(0, 2, 6).toString(), '0-2-6,1-1-7');
  assert.equal(position.with(3, 1, 1).toString(), '0-1-5,1-1-7,3-1-1');
  assert.equal(position.toString(), '0-1-5,1-1-7');
  assert.deepEqual(position.get(1), { server: 1, sequence: 7 });
  assert.equal(position.get(2), null);
});
