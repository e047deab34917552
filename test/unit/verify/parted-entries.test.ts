import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PartedEntries } from '../../../src/verify/parted-entries.ts';

test('each part gives its entries in the order in which they were added, through the file and before it', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(3), fc.integer(), fc.double()), { maxLength: 200 }),
      fc.integer({ min: 1, max: 100 }),
      (added, blockBytes) => {
        const entries = new PartedEntries(4, 4, blockBytes);
        for (const [part, word, double] of added) {
          const at = entries.add(part);
          entries.words[at] = word;
          entries.words[at + 1] = part;
          entries.doubles[at / 2 + 1] = double;
        }
        for (let part = 0; part < 4; part++) {
          const expected = added.filter(([of]) => of === part);
          assert.equal(entries.count(part), expected.length);
          const { count, words, doubles } = entries.load(part);
          const loaded = Array.from({ length: count }, (_, i) => [words[i * 4 + 1], words[i * 4], doubles[i * 2 + 1]]);
          assert.deepEqual(loaded, expected);
        }
        entries.close();
      },
    ),
  );
});
