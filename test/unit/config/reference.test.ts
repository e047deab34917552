import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { configurationReference, REFERENCE } from '../../../deploy/generate/configuration-reference.ts';
import { postgresShape } from '../../../src/config/database-settings.ts';
import { describeSettings } from '../../../src/config/describe-settings.ts';
import { problemsOf, VALID } from './parse-text.ts';

describe('the reference page', () => {
  it('is up to date', () => {
    const page = readFileSync(REFERENCE, 'utf8');
    assert.ok(page === configurationReference(), 'run: node deploy/generate/configuration-reference.ts');
  });

  it('describes every setting', () => {
    const silent = describeSettings().filter((setting) => setting.description === '');
    assert.deepEqual(
      silent.map((setting) => setting.path),
      [],
    );
    assert.ok(describeSettings().length > 80);
  });

  it('lists settings of the database that its connector knows', async () => {
    const values: Record<string, unknown> = {
      url: 'postgres://u@h/d',
      tls: { mode: 'disable' },
      slot: { name: 'a', publication: 'b', autocreate: 'filtered', failover: true },
      types: {
        decimal: 'double',
        time: 'connect',
        binary: 'hex',
        interval: 'string',
        hstore: 'map',
        money_fraction_digits: 3,
        unknown: 'include',
      },
      publish_via_partition_root: true,
      status_interval: '1s',
      connect_timeout: '1s',
      query_timeout: '1s',
    };
    const parts: Record<string, unknown> = { host: 'h', port: 1, user: 'u', password: 'p', database: 'd' };
    assert.deepEqual(Object.keys({ ...values, ...parts }).sort(), Object.keys(postgresShape).sort());
    assert.deepEqual(Object.keys(values.slot as object), Object.keys(postgresShape.slot.unwrap().shape));
    assert.deepEqual(Object.keys(values.types as object), Object.keys(postgresShape.types.unwrap().shape));
    const { url, ...others } = values;
    for (const database of [
      { url, ...others },
      { ...parts, ...others },
    ]) {
      const source = { name: 'a', type: 'postgres', snapshot: { mode: 'no_data' }, ...database };
      const rest = VALID.slice(0, VALID.indexOf('sources:'));
      assert.deepEqual(await problemsOf(`${rest}sources: [${JSON.stringify(source)}]`), []);
    }
  });
});
