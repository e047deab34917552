import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ChaosOptions } from '../chaos/kill-rounds.ts';
import { runPostgresChaos } from '../chaos/postgres-chaos.ts';

/*
 * The promises of `docs/guarantees.md` about a crash: nothing is lost, whole transactions are repeated and with the same
 * bytes, keys stay in order. `npm run test:chaos -- postgres` is the same for as long as one likes.
 */

const ROUNDS = 6;

async function survives(
  options: Pick<ChaosOptions, 'checkpoint' | 'transactionMetadata'>,
  say: (text: string) => void,
) {
  const seed = Math.floor(Math.random() * 0x1_0000_0000);
  const lines: string[] = [];
  try {
    const result = await runPostgresChaos({ ...options, seed, rounds: ROUNDS, progress: (line) => lines.push(line) });
    assert.deepEqual(result.problems, []);
    assert.equal(result.exitCode, 0);
    // A run in which nothing happened would prove nothing.
    assert.ok(result.transactions > 100, `${result.transactions} transactions`);
    assert.ok(result.records > 1_000, `${result.records} records`);
    const { transactions, records, duplicates, schemaChanges } = result;
    say(
      `seed ${seed}: ${transactions} transactions, ${schemaChanges} schema changes, ${records} records, ${duplicates} repeated`,
    );
  } catch (error) {
    say(`seed ${seed}\n${lines.join('\n')}`);
    throw error;
  }
}

test('kill -9 under load with checkpoints in Kafka', { timeout: 600_000 }, async (context) => {
  await survives({ checkpoint: 'kafka', transactionMetadata: true }, (text) => context.diagnostic(text));
});

test('kill -9 under load with checkpoints in a file', { timeout: 600_000 }, async (context) => {
  await survives({ checkpoint: 'file', transactionMetadata: false }, (text) => context.diagnostic(text));
});
