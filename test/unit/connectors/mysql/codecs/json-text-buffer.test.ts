import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { JsonTextBuffer } from '../../../../../connectors/mysql/codecs/json-text-buffer.ts';

test('an integer of 32 bits has the digits that JavaScript prints', () => {
  const edges = [0, 9, 10, 99, 100, 999_999_999, 1_000_000_000, 4_294_967_295, -1, -10, -2_147_483_648, 2_147_483_647];
  const integers = fc.oneof(
    fc.integer(),
    fc.maxSafeNat().map((value) => value % 2 ** 32),
    fc.constantFrom(...edges),
  );
  fc.assert(
    fc.property(fc.array(integers, { minLength: 1, maxLength: 600 }), (values) => {
      const text = new JsonTextBuffer();
      text.begin();
      for (const value of values) {
        text.integer(value);
        text.ascii(' ');
      }
      assert.equal(text.bytes.toString('latin1', 0, text.length), values.map((value) => `${value} `).join(''));
    }),
    { examples: [[edges]] },
  );
});
