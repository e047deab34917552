import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LSN_ZERO } from '../../../../connectors/postgres/protocol/lsn.ts';
import { SequenceText } from '../../../../connectors/postgres/sequence-text.ts';
import { TransactionContext } from '../../../../connectors/postgres/transaction-context.ts';

const lsns = fc.oneof(
  fc.bigInt(0n, 3_000_000n),
  fc.bigInt(2n ** 31n, 2n ** 31n + 3_000_000n),
  fc.bigInt(2n ** 52n, 2n ** 53n + 10n),
  fc.bigInt(0n, 2n ** 64n - 1n),
);
const rows = fc.array(fc.tuple(lsns, fc.array(fc.integer({ min: -700_000, max: 2_000_000 }), { maxLength: 6 })), {
  minLength: 1,
  maxLength: 6,
});

test('the sequence of a row has the last commit and its own LSN, whichever rows came before', () => {
  fc.assert(
    fc.property(rows, (transactions) => {
      const text = new SequenceText();
      transactions.forEach(([first, steps], index) => {
        const commit = { high: index, low: 7 };
        const transaction = new TransactionContext(1, 0, index === 0 ? null : commit, LSN_ZERO);
        const before = index === 0 ? 'null' : `"${(BigInt(index) << 32n) + 7n}"`;
        let lsn = first;
        for (const step of [0, ...steps]) {
          const next = lsn + BigInt(step);
          if (next < 0n || next >= 2n ** 64n) continue;
          lsn = next;
          const end = text.write(transaction, Number(lsn >> 32n), Number(lsn & 0xffff_ffffn));
          assert.equal(text.bytes.toString('latin1', 0, end), `[${before},"${lsn}"]`);
        }
      });
    }),
    { numRuns: 2000 },
  );
});
