import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  decodeStateDocument,
  encodeStateDocument,
  StateDocumentEncoder,
} from '../../../src/checkpoint/state-document.ts';
import { FatalError } from '../../../src/core/errors.ts';
import { anyText } from '../../support/any-text.ts';

const DOCUMENT = {
  source: 'shop',
  entries: new Map([
    ['checkpoint', '{"formatVersion":1,"position":"0/16B3748"}'],
    ['odd', '{ "spaced": 1 }'],
  ]),
};

describe('state document', () => {
  it('is readable: canonical JSON stands as JSON, other text as text', () => {
    const parsed = JSON.parse(encodeStateDocument(DOCUMENT));
    assert.equal(parsed.format, 'tailrace-state');
    assert.equal(parsed.formatVersion, 1);
    assert.equal(parsed.source, 'shop');
    assert.deepEqual(parsed.entries, { checkpoint: { formatVersion: 1, position: '0/16B3748' } });
    assert.deepEqual(parsed.texts, { odd: '{ "spaced": 1 }' });
  });

  it('gives back any set of entries', () => {
    const text = fc.oneof(anyText(), fc.json(), fc.constantFrom('-0', '1e999', '1.0', '""'));
    const key = fc.oneof(anyText(), fc.constantFrom('__proto__', '1', 'constructor'));
    fc.assert(
      fc.property(key, fc.array(fc.tuple(key, text)), (source, pairs) => {
        const entries = new Map(pairs);
        const back = decodeStateDocument(encodeStateDocument({ source, entries }), 'it');
        assert.equal(back.source, source);
        assert.deepEqual(new Map([...back.entries].sort()), new Map([...entries].sort()));
      }),
    );
  });

  it('is the same whether its lines were kept or made anew', () => {
    const text = fc.oneof(anyText(), fc.json());
    const states = fc.array(fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), text)), { minLength: 2 });
    fc.assert(
      fc.property(states, (history) => {
        const encoder = new StateDocumentEncoder();
        for (const pairs of history) {
          const document = { source: 'shop', entries: new Map(pairs) };
          const text = encoder.encode(document).toString();
          assert.equal(text, encodeStateDocument(document));
          assert.deepEqual(decodeStateDocument(text, 'it').entries, new Map([...document.entries].sort()));
        }
      }),
    );
  });

  it('is not accepted when cut off anywhere', () => {
    const text = encodeStateDocument(DOCUMENT).trimEnd();
    for (let length = 0; length < text.length; length += 1) {
      assert.throws(() => decodeStateDocument(text.slice(0, length), 'shop.json'), FatalError);
    }
  });

  it('is not accepted with another position, key or source in it', () => {
    const text = encodeStateDocument(DOCUMENT);
    for (const [from, to] of [
      ['0/16B3748', '0/16B3749'],
      ['"checkpoint"', '"checkpoinT"'],
      ['"shop"', '"shoq"'],
    ] as const) {
      assert.ok(text.includes(from));
      assert.throws(
        () => decodeStateDocument(text.replace(from, to), '/state/shop.json'),
        (error) => {
          assert.ok(error instanceof FatalError);
          assert.equal(error.code, 'STATE_DAMAGED');
          assert.match(error.message, /\/state\/shop\.json/);
          assert.match(error.remedy, /import/);
          return true;
        },
      );
    }
  });

  it('names the remedy for a format that is newer', () => {
    const text = encodeStateDocument(DOCUMENT).replace('"formatVersion": 1', '"formatVersion": 2');
    assert.throws(() => decodeStateDocument(text, 'shop.json'), { code: 'STATE_FORMAT_UNKNOWN' });
  });
});
