import assert from 'node:assert/strict';
import { it } from 'node:test';
import { subjectName } from '../../../src/avro/subject-name.ts';

it('names subjects by each of Confluent’s strategies', () => {
  assert.equal(subjectName('topic_name', 'shop.public.t', 'key', 'shop.public.t.Key'), 'shop.public.t-key');
  assert.equal(subjectName('topic_name', 'shop.public.t', 'value', 'shop.public.t.Envelope'), 'shop.public.t-value');
  assert.equal(
    subjectName('record_name', 'shop.public.t', 'value', 'shop.public.t.Envelope'),
    'shop.public.t.Envelope',
  );
  assert.equal(
    subjectName('topic_record_name', 'shop.transaction', 'key', 'io.debezium.connector.common.TransactionMetadataKey'),
    'shop.transaction-io.debezium.connector.common.TransactionMetadataKey',
  );
});
