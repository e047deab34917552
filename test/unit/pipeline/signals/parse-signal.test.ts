import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ignoringCase } from '../../../../src/config/debezium-patterns.ts';
import { compilePattern } from '../../../../src/config/pattern.ts';
import { parseSignal, type Signal } from '../../../../src/pipeline/signals/parse-signal.ts';
import { decode } from '../../../support/golden-comparison.ts';
import { type GoldenDatabase, goldenTopics } from '../../../support/golden-topics.ts';

const compile = (text: string) => compilePattern(ignoringCase(text));

function parse(type: string, data: unknown) {
  return parseSignal({ id: 'x', type, data: typeof data === 'string' ? data : JSON.stringify(data) }, compile);
}

function execute(data: Readonly<Record<string, unknown>>): Signal & { kind: 'execute' } {
  const signal = parse('execute-snapshot', { 'data-collections': ['inv.t'], ...data });
  assert.ok('kind' in signal && signal.kind === 'execute', JSON.stringify(signal));
  return signal;
}

describe('parseSignal', () => {
  it('reads what Debezium was sent, and knows its watermarks', () => {
    const kinds = new Map<string, Set<string>>();
    for (const [database, variant] of [
      ['postgres', 'pg_incr'],
      ['mysql', 'my_incr'],
      ['mariadb', 'mdb_incr'],
    ] as const satisfies readonly (readonly [GoldenDatabase, string])[]) {
      const { records } = goldenTopics(variant, database).find(({ topic }) => topic.endsWith('.dbz_signal'))!;
      for (const { value, valueSchema } of records) {
        const { after } = decode(value, valueSchema) as unknown as {
          after: { Value?: SignalRow } & SignalRow;
        };
        const row = after.Value ?? after;
        const signal = parseSignal({ ...row, data: row.data ?? '' }, compile);
        assert.ok('kind' in signal, JSON.stringify(signal));
        kinds.set(row.type, (kinds.get(row.type) ?? new Set()).add(signal.kind));
      }
    }
    assert.deepEqual([...kinds].map(([type, found]) => [type, ...found]).sort(), [
      ['execute-snapshot', 'execute'],
      ['log', 'log'],
      ['snapshot-window-close', 'window'],
      ['snapshot-window-open', 'window'],
    ]);
  });

  it('matches whole names, whatever their case', () => {
    const { tables, isBlocking } = execute({ 'data-collections': [' inv.t_. ', 'a|b', '\\Qx.y\\E'] });
    const matches = (name: string) => tables.some((pattern) => pattern.test(name));
    for (const name of ['inv.t_x', 'INV.T_1', 'a', 'b', 'x.y']) assert.ok(matches(name), name);
    for (const name of ['inv.t_', 'inv.t_xy', 'my.inv.t_x', 'ab', 'xzy']) assert.ok(!matches(name), name);
    assert.equal(isBlocking, false, 'incremental by default');
  });

  it('reads snapshot types without regard to case', () => {
    assert.equal(execute({ type: 'blocking' }).isBlocking, true);
    assert.equal(execute({ type: 'Incremental' }).isBlocking, false);
    assert.equal(execute({ type: null }).isBlocking, false);
  });

  it('reads conditions of tables, and the old one for all of them', () => {
    const conditions = [{ 'data-collection': 'inv.(a|b)', filter: 'n > 1' }];
    const [condition] = execute({ 'additional-conditions': conditions }).filters;
    assert.ok(condition!.table.test('inv.B') && !condition!.table.test('inv.c'));
    assert.equal(condition!.filter, 'n > 1');
    const [old] = execute({ 'additional-condition': 'n > 2' }).filters;
    assert.ok(old!.table.test('anything'));
    assert.equal(old!.filter, 'n > 2');
  });

  it('stops tables or everything', () => {
    assert.deepEqual(parse('stop-snapshot', ''), { kind: 'stop', tables: null });
    assert.deepEqual(parse('stop-snapshot', { 'data-collections': [] }), { kind: 'stop', tables: null });
    assert.deepEqual(parse('stop-snapshot', { 'data-collections': ['inv.t'], type: 'INCREMENTAL' }), {
      kind: 'stop',
      tables: ['inv.t'],
    });
    assert.deepEqual(parse('pause-snapshot', ''), { kind: 'pause' });
    assert.deepEqual(parse('resume-snapshot', '{"type": "INCREMENTAL"}'), { kind: 'resume' });
  });

  const SECRET = 'a value of a row';
  const FAULTS: readonly (readonly [type: string, data: unknown, fault: RegExp])[] = [
    [SECRET, {}, /type is not known/],
    ['log', SECRET, /not a JSON object/],
    ['log', `"${SECRET}"`, /not a JSON object/],
    ['log', {}, /message is missing/],
    ['log', { message: 5 }, /message is missing/],
    ['execute-snapshot', {}, /data-collections is not a list/],
    ['execute-snapshot', { 'data-collections': [] }, /data-collections is not a list/],
    ['execute-snapshot', { 'data-collections': SECRET }, /data-collections is not a list/],
    ['execute-snapshot', { 'data-collections': ['a', `(${SECRET}`] }, /data-collections\[1\] is not a valid/],
    ['execute-snapshot', { 'data-collections': ['a'], type: SECRET }, /neither INCREMENTAL nor BLOCKING/],
    ['execute-snapshot', { 'data-collections': ['a'], 'surrogate-key': SECRET }, /surrogate-key is not supported/],
    ['execute-snapshot', { 'data-collections': ['a'], 'additional-conditions': SECRET }, /not a list/],
    ['execute-snapshot', { 'data-collections': ['a'], 'additional-conditions': [SECRET] }, /\[0\].data-collection/],
    [
      'execute-snapshot',
      { 'data-collections': ['a'], 'additional-conditions': [{ 'data-collection': 'a', filter: '' }] },
      /\[0\].filter is missing/,
    ],
    ['stop-snapshot', { 'data-collections': ['('] }, /data-collections\[0\] is not a valid/],
    ['stop-snapshot', { type: 'NEVER' }, /neither INCREMENTAL nor BLOCKING/],
  ];
  for (const [type, data, fault] of FAULTS) {
    it(`says why ${type} with ${JSON.stringify(data)} is no signal, without repeating it`, () => {
      const found = parse(type, data);
      assert.ok('fault' in found, JSON.stringify(found));
      assert.match(found.fault, fault);
      assert.ok(!found.fault.includes(SECRET));
    });
  }
});

interface SignalRow {
  readonly id: string;
  readonly type: string;
  readonly data: string | null;
}
