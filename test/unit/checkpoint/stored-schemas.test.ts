import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { StoredSchemaIds } from '../../../src/checkpoint/stored-schema-ids.ts';
import { StoredSchemas } from '../../../src/checkpoint/stored-schemas.ts';
import { FatalError } from '../../../src/core/errors.ts';
import type { StoredVersion } from '../../../src/core/schema-store.ts';
import { MemorySourceState } from './memory-source-state.ts';

const never = new AbortController().signal;
const version = (since: string, layout = `layout ${since}`): StoredVersion => ({
  layout,
  since,
  resolved: '{"key":[0]}',
});
const sinces = (schemas: StoredSchemas, relation: string) => schemas.versions(relation).map(({ since }) => since);

describe('stored schemas', () => {
  it('keep versions in order, over a restart too', async () => {
    const state = new MemorySourceState();
    const schemas = new StoredSchemas(state);
    assert.deepEqual(schemas.versions('16385'), []);
    await schemas.add('16385', version('0A'), never);
    await schemas.add('16385', version('0B'), never);
    await schemas.add('public/odd name', version('0C'), never);
    for (const each of [schemas, new StoredSchemas(state)]) {
      assert.deepEqual(each.versions('16385'), [version('0A'), version('0B')]);
      assert.deepEqual(each.versions('public/odd name'), [version('0C')]);
    }
    assert.ok(state.entries.has('relation/16385'));
  });

  it('answer with a version only once it is durable', async () => {
    const state = new MemorySourceState();
    const schemas = new StoredSchemas(state);
    const gate = Promise.withResolvers<void>();
    state.gate = () => gate.promise;
    const added = schemas.add('1', version('0A'), never);
    assert.deepEqual(schemas.versions('1'), []);
    gate.resolve();
    await added;
    assert.deepEqual(sinces(schemas, '1'), ['0A']);
    const reason = new Error('stop');
    await assert.rejects(schemas.add('1', version('0B'), AbortSignal.abort(reason)), reason);
    assert.deepEqual(sinces(schemas, '1'), ['0A']);
  });

  it('store the same version once and refuse one that begins earlier', async () => {
    const state = new MemorySourceState();
    const schemas = new StoredSchemas(state);
    await schemas.add('1', version('0B'), never);
    await schemas.add('1', version('0B'), never);
    assert.equal(state.puts.length, 1);
    await schemas.add('1', version('0B', 'another layout at the same position'), never);
    assert.deepEqual(sinces(schemas, '1'), ['0B', '0B']);
    await assert.rejects(schemas.add('1', version('0A'), never), { code: 'SCHEMA_VERSION_OUT_OF_ORDER' });
  });

  it('forget what no replay from a position needs, and nothing more', async () => {
    const state = new MemorySourceState();
    const schemas = new StoredSchemas(state);
    for (const since of ['10', '20', '30']) await schemas.add('many', version(since), never);
    await schemas.add('one', version('10'), never);
    await schemas.add('late', version('28'), never);
    await schemas.add('late', version('29'), never);

    await schemas.saveAndForget(new Map(), '09', never);
    assert.deepEqual(sinces(schemas, 'many'), ['10', '20', '30'], 'all of them lie after the position');
    await schemas.saveAndForget(new Map(), '20', never);
    assert.deepEqual(
      sinces(schemas, 'many'),
      ['20', '30'],
      'a change at the position itself is of the version since there',
    );
    await schemas.saveAndForget(new Map(), '25', never);
    assert.deepEqual(sinces(schemas, 'many'), ['20', '30']);
    assert.deepEqual(sinces(schemas, 'late'), ['28', '29']);
    await schemas.saveAndForget(new Map(), '99', never);
    for (const each of [schemas, new StoredSchemas(state)]) {
      assert.deepEqual(sinces(each, 'many'), ['30']);
      assert.deepEqual(sinces(each, 'one'), ['10']);
      assert.deepEqual(sinces(each, 'late'), ['29']);
    }
  });

  it('lose no version that is added while another save forgets', async () => {
    const state = new MemorySourceState();
    const schemas = new StoredSchemas(state);
    await schemas.add('1', version('10'), never);
    await schemas.add('1', version('20'), never);
    const gate = Promise.withResolvers<void>();
    state.gate = () => gate.promise;
    const both = [
      schemas.add('1', version('30'), never),
      schemas.saveAndForget(new Map(), '25', never),
      schemas.add('1', version('40'), never),
    ];
    gate.resolve();
    await Promise.all(both);
    for (const each of [schemas, new StoredSchemas(state)]) assert.deepEqual(sinces(each, '1'), ['20', '30', '40']);
  });

  it('refuse a damaged entry', () => {
    for (const text of [
      '',
      '{"formatVersion":2,"versions":[]}',
      '{"formatVersion":1,"versions":[]}',
      '{"formatVersion":1,"versions":[{"layout":"x","since":"1"}]}',
      '{"formatVersion":1,"versions":[{"layout":"x","since":"2","resolved":""},{"layout":"x","since":"1","resolved":""}]}',
    ]) {
      assert.throws(() => new StoredSchemas(new MemorySourceState({ 'relation/1': text })), FatalError, text);
    }
  });
});

describe('stored schema ids', () => {
  it('are known at once, and over a restart when they were saved', () => {
    const ids = new StoredSchemaIds(new Map());
    assert.equal(ids.get('abc'), undefined);
    ids.set('abc', 7);
    ids.set('abc', 7);
    const first = ids.unsaved();
    assert.deepEqual(Object.fromEntries(first), { 'schema-id/abc': '{"formatVersion":1,"id":7}' });
    ids.set('abc', 8);
    ids.saved(first);
    const second = ids.unsaved();
    assert.deepEqual(Object.fromEntries(second), { 'schema-id/abc': '{"formatVersion":1,"id":8}' });
    ids.saved(second);
    assert.equal(ids.unsaved().size, 0);
    for (const each of [ids, new StoredSchemaIds(second)]) assert.equal(each.get('abc'), 8);
  });

  it('refuse a damaged entry', () => {
    for (const text of ['7', '{"formatVersion":1,"id":"7"}', '{"formatVersion":1,"id":7.5}']) {
      assert.throws(() => new StoredSchemaIds(new Map([['schema-id/abc', text]])), FatalError, text);
    }
  });
});
