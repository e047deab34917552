import type { StateStore } from '../../src/core/source-state.ts';

// Writes four entries with one number again and again, and reports each number once it is durable. Ends by being killed,
// or with 1 where the state belongs to somebody else.
const [module = '', location = '', source = ''] = process.argv.slice(2);
const { createStore } = (await import(module)) as { createStore(location: string): StateStore };
const state = await createStore(location).open(source, AbortSignal.timeout(60_000));

const last = state.entries.get('a');
let n = last === undefined ? 0 : (JSON.parse(last) as { n: number }).n + 1;
for (; ; n += 1) {
  const value = JSON.stringify({ n, padding: 'p'.repeat(20_000) });
  const changes = new Map(['a', 'b', 'c', 'd'].map((key) => [key, value]));
  await state.put(changes, AbortSignal.timeout(60_000));
  process.stdout.write(`${n}\n`);
}
