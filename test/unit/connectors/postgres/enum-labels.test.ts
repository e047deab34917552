import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { enumColumns, hasLabels, unknownLabel, withLabels } from '../../../../connectors/postgres/enum-labels.ts';
import type { PgType } from '../../../../connectors/postgres/pg-type.ts';
import type { RelationFacts } from '../../../../connectors/postgres/relation-facts.ts';

const TEXT = type('text', {});
const MOOD = type('mood', { kind: 'enum', labels: ['sad', 'happy, "very"', 'é'] });
const MOODS = type('_mood', { element: MOOD });
const DOMAIN = type('good_mood', { kind: 'domain', base: { type: MOOD, typmod: -1 } });

function type(name: string, rest: Partial<PgType>): PgType {
  return { oid: 1, schema: 'public', name, kind: 'base', element: null, base: null, labels: [], ...rest };
}

function facts(...types: PgType[]): RelationFacts {
  return { columns: types.map((each) => ({ type: each, nullable: true, defaultExpression: null })), key: null };
}

/** A row image: null is NULL, undefined an unchanged value. */
function tuple(...values: (string | null | undefined)[]): Buffer {
  const cells = values.map((value) => {
    if (value === null) return Buffer.from('n');
    if (value === undefined) return Buffer.from('u');
    const text = Buffer.from(value);
    const head = Buffer.from('t\0\0\0\0');
    head.writeInt32BE(text.length, 1);
    return Buffer.concat([head, text]);
  });
  return Buffer.concat([Buffer.from([9, 9, 0, values.length]), ...cells]);
}

const met = (of: RelationFacts, ...values: (string | null | undefined)[]) =>
  unknownLabel(tuple(...values), 2, enumColumns(of)!);

describe('labels that a table version does not list', () => {
  it('are looked for in enums only', () => {
    assert.equal(enumColumns(facts(TEXT, TEXT)), null);
    const found = enumColumns(facts(TEXT, MOOD, DOMAIN, MOODS)) ?? [];
    assert.deepEqual(
      found.map(({ column, isArray }) => `${column} ${isArray}`),
      ['1 false', '2 false', '3 true'],
    );
  });

  it('are found in any column behind any other', () => {
    const row = facts(TEXT, MOOD, TEXT, DOMAIN);
    assert.equal(met(row, 'x', 'sad', 'y', 'é'), null);
    assert.equal(met(row, 'new', null, 'y', undefined), null);
    assert.deepEqual(met(row, 'x', 'new', 'y', 'newer'), { column: 1, label: 'new' });
    assert.deepEqual(met(row, undefined, 'sad', null, 'sa'), { column: 3, label: 'sa' });
    assert.deepEqual(met(row, 'x', '', 'y', 'sad'), { column: 1, label: '' });
  });

  it('are found in arrays', () => {
    const row = facts(MOODS, MOOD);
    assert.equal(met(row, '{}', 'sad'), null);
    assert.equal(met(row, '{sad,NULL,"happy, \\"very\\"",é}', 'sad'), null);
    assert.equal(met(row, '[0:1][1:1]={{sad},{sad}}', 'sad'), null);
    assert.deepEqual(met(row, '{sad,"new, er"}', 'sad'), { column: 0, label: 'new, er' });
    assert.deepEqual(met(row, '{"NULL"}', 'sad'), { column: 0, label: 'NULL' });
  });

  it('are known once they are added', () => {
    const row = facts(MOODS, DOMAIN, MOOD);
    const labels = [
      { column: 0, label: 'a' },
      { column: 1, label: 'b' },
      { column: 1, label: 'sad' },
    ];
    assert.equal(hasLabels(row, labels), false);
    const extended = withLabels(row, labels);
    assert.equal(hasLabels(extended, labels), true);
    assert.equal(met(extended, '{a,sad}', 'b', 'sad'), null);
    assert.deepEqual(extended.columns[1]!.type.base!.type.labels, [...MOOD.labels, 'b']);
    assert.equal(extended.columns[2], row.columns[2]);
    assert.equal(withLabels(row, []), row);
  });
});
