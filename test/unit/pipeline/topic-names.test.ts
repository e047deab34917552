import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sanitizeTopic, topicNames } from '../../../src/pipeline/topic-names.ts';

test('data topics carry prefix, schema and table, and nothing Kafka refuses', () => {
  const names = topicNames('pg_names');
  const data = (schema: string, name: string) => names.data({ database: 'golden', schema, name });
  assert.equal(data('inv', 'composite'), 'pg_names.inv.composite');
  assert.equal(data('Odd-Schema', 'My Table'), 'pg_names.Odd-Schema.My_Table');
  assert.equal(data('Odd-Schema', 'tab$le.dot'), 'pg_names.Odd-Schema.tab_le.dot');
});

test('a database without schemas gives prefix, database and table', () => {
  assert.equal(topicNames('my').data({ database: 'inv', schema: null, name: 't' }), 'my.inv.t');
});

test('the fixed topics are named as Debezium names them', () => {
  const names = topicNames('shop');
  assert.equal(names.transaction, 'shop.transaction');
  assert.equal(names.message, 'shop.message');
  assert.equal(names.heartbeat, '__debezium-heartbeat.shop');
});

test('a character outside the basic plane becomes one underscore', () => {
  assert.equal(sanitizeTopic('a😀b漢'), 'a_b_');
});

test('long names are cut to what Kafka takes, and the two reserved names are replaced', () => {
  assert.equal(sanitizeTopic('x'.repeat(300)).length, 249);
  assert.equal(sanitizeTopic('.'), '_');
  assert.equal(sanitizeTopic('..'), '__');
});
