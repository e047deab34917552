import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  decodeAll,
  type FakeTable,
  fakeCatalog,
  MemorySchemaStore,
  type RecordedMessage,
  recordedMessages,
} from './fixture-decoding.ts';

const KV = 0x4bad;
const END = '0/FFFFFFFF';

/** Default of column v and fingerprint of the version of each row of kv. */
async function versionsOf(
  messages: readonly RecordedMessage[],
  table: FakeTable,
  schemas: MemorySchemaStore,
  head: string,
): Promise<{ rows: string[]; asked: number }> {
  const asked: number[] = [];
  const rows: string[] = [];
  await decodeAll(messages, { catalog: fakeCatalog({ [KV]: table }, asked), schemas, head }, (batch) => {
    for (let index = 0; index < batch.count; index++) {
      const version = batch.versions[index];
      if (version?.id.name === 'kv') {
        rows.push(`${version.columns[1]?.nullable ? 'nullable' : 'required'} ${version.fingerprint}`);
      }
    }
  });
  return { rows, asked: asked.length };
}

const kv = (v: { notNull?: boolean }): FakeTable => ({
  columns: { id: { notNull: true }, v, big: {}, m: {} },
  primaryKey: ['id'],
});
const changesOfKv = recordedMessages().slice(0, 15);

test('a replay after later DDL gives the same versions without asking the catalog', async () => {
  const schemas = new MemorySchemaStore();
  const first = await versionsOf(changesOfKv, kv({}), schemas, '0/0');
  const stored = schemas.versions(String(KV)).length;
  const replay = await versionsOf(changesOfKv, { columns: { id: {}, renamed: { notNull: true } } }, schemas, END);
  assert.deepEqual(replay.rows, first.rows);
  assert.equal(replay.asked, 0);
  assert.equal(schemas.versions(String(KV)).length, stored, 'nothing new is stored');
});

test('a replay changes versions at the very row where the first run did', async () => {
  const schemas = new MemorySchemaStore();
  // Row 2 of the recording has NULL in v, which the catalog then still called NOT NULL.
  const first = await versionsOf(changesOfKv, kv({ notNull: true }), schemas, '0/0');
  assert.deepEqual(
    first.rows.map((row) => row.split(' ')[0]),
    ['required', 'nullable', 'nullable', 'nullable', 'nullable'],
  );
  const replay = await versionsOf(changesOfKv, kv({}), schemas, END);
  assert.deepEqual(replay.rows, first.rows);
  assert.equal(replay.asked, 0);
});

test('past the head a version from the store is compared with the catalog again', async () => {
  const schemas = new MemorySchemaStore();
  const first = await versionsOf(changesOfKv, kv({}), schemas, '0/0');
  // The head lies between the second and the third transaction; there is a default now.
  const table = { ...kv({}), columns: { ...kv({}).columns, big: { default: "'x'::text" } } };
  const replay = await versionsOf(changesOfKv, table, schemas, '0/389BF90');
  assert.deepEqual(replay.rows.slice(0, 3), first.rows.slice(0, 3));
  assert.notEqual(replay.rows[3], first.rows[3]);
  assert.equal(replay.asked, 1);
  assert.equal(schemas.versions(String(KV)).length, 2);
});

test('the same facts are stored once', async () => {
  const schemas = new MemorySchemaStore();
  await versionsOf(recordedMessages(), kv({}), schemas, '0/0');
  await versionsOf(recordedMessages(), kv({}), schemas, '0/0');
  const versions = schemas.versions(String(KV)).map((version) => version.resolved);
  assert.equal(new Set(versions).size, 1);
});

test('a position that was set back stores nothing before what is stored', async () => {
  const schemas = new MemorySchemaStore();
  const later = { layout: 'another', since: 'f'.repeat(33), resolved: '{"columns":[],"key":null}' };
  await schemas.add(String(KV), later);
  const { rows } = await versionsOf(changesOfKv, kv({}), schemas, END);
  assert.equal(rows.length, 5);
  assert.deepEqual(schemas.versions(String(KV)), [later]);
});
