import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { changeAsJson, changedColumns, type LiveChange, renderChangeLine } from '../../../src/cli/change-line.ts';
import { anyText } from '../../support/any-text.ts';

const AT = Date.UTC(2026, 0, 2, 3, 4, 5, 678);

function change(parts: Partial<LiveChange>): LiveChange {
  return { atMs: AT, op: 'c', table: 'public.orders', key: { id: 1 }, before: null, after: null, ...parts };
}

function line(parts: Partial<LiveChange>): string {
  return renderChangeLine(change(parts), { colour: false });
}

describe('the line of a change', () => {
  it('of a creation shows what is beside the key', () => {
    const text = line({ after: { id: 1, status: 'open', note: null, paid: false } });
    assert.equal(text, '03:04:05.678 c public.orders id=1 status=open, note=null, paid=false');
  });
  it('of an update shows what changed, from what to what', () => {
    const before = { id: 1, status: 'open', tags: ['a'] };
    const text = line({ op: 'u', before, after: { ...before, tags: ['a'], status: 'in work' } });
    assert.equal(text, '03:04:05.678 u public.orders id=1 status: open → "in work"');
  });
  it('of an update without an old row shows the new one', () => {
    assert.equal(line({ op: 'u', after: { id: 1, status: 'x' } }), '03:04:05.678 u public.orders id=1 status=x');
  });
  it('of a deletion shows the key, or the old row where there is none', () => {
    assert.equal(line({ op: 'd', before: { id: 1, a: 2 } }), '03:04:05.678 d public.orders id=1');
    assert.equal(line({ op: 'd', key: null, before: { a: 2 } }), '03:04:05.678 d public.orders - a=2');
  });
  it('of a truncation shows the table', () => {
    assert.equal(line({ op: 't', key: null }), '03:04:05.678 t public.orders -');
  });
  it('of a key of two columns keeps them together', () => {
    assert.equal(line({ op: 'd', key: { a: 1, b: 'x' } }), '03:04:05.678 d public.orders a=1,b=x');
  });
  it('cuts long values, between characters', () => {
    const text = line({ after: { id: 1, a: '😀'.repeat(100) } });
    assert.ok(text.endsWith(`a=${'😀'.repeat(60)}…`));
  });
  it('has exact 64-bit integers and bytes', () => {
    assert.equal(
      line({ key: { id: 9_007_199_254_740_993n }, after: { id: 9_007_199_254_740_993n, b: Buffer.from([1, 255]) } }),
      '03:04:05.678 c public.orders id=9007199254740993 b="Af8="',
    );
  });
  it('is coloured on request', () => {
    assert.ok(renderChangeLine(change({}), { colour: true }).includes(' \u001b[32mc\u001b[0m '));
  });
  it('cannot reprogram the terminal, nor be two lines, whatever a value holds', () => {
    const anything = anyText();
    fc.assert(
      fc.property(anything, anything, anything, (table, name, value) => {
        const text = line({
          table,
          key: { [name]: value },
          after: { [`${name}2`]: value, nested: { [value]: [value] } },
        });
        assert.doesNotMatch(text, /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u);
      }),
    );
  });
});

describe('a change as JSON', () => {
  it('is one line with everything', () => {
    const before = { id: 1, a: 'x', long: 'y'.repeat(500) };
    const text = changeAsJson(change({ op: 'u', before, after: { ...before, a: 'z\n' } }));
    assert.ok(!text.includes('\n'));
    assert.deepEqual(JSON.parse(text), {
      time: '2026-01-02T03:04:05.678Z',
      op: 'u',
      table: 'public.orders',
      key: { id: 1 },
      before,
      after: { ...before, a: 'z\n' },
      changed: ['a'],
    });
  });
  it('has exact integers, bytes as base64, and numbers that JSON has not as text', () => {
    const text = changeAsJson(
      change({ after: { big: -9_223_372_036_854_775_808n, bytes: Buffer.from('ab'), nan: Number.NaN, deep: [1n] } }),
    );
    assert.match(text, /"big":-9223372036854775808,"bytes":"YWI=","nan":"NaN","deep":\[1\]/);
  });
});

it('equal values of any shape are no change', () => {
  const values = fc.oneof(
    fc.jsonValue(),
    fc.bigInt(),
    fc.double(),
    fc.uint8Array().map((bytes) => Buffer.from(bytes)),
  );
  fc.assert(
    fc.property(values, (value) => {
      const copy = Buffer.isBuffer(value) ? Buffer.from(value) : structuredClone(value);
      assert.deepEqual(changedColumns(change({ op: 'u', before: { a: value }, after: { a: copy } })), {});
    }),
  );
});
