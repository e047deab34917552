import assert from 'node:assert/strict';
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { describe, it, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ConfigurationError, OwnershipLostError } from '../../src/core/errors.ts';
import type { StateStore } from '../../src/core/source-state.ts';
import { awaitEqual } from '../support/await-equal.ts';
import { awaitUntil } from '../support/await-until.ts';

/** Where one test keeps its state; `remove` leaves nothing behind. */
export interface StateLocation {
  readonly location: string;
  remove(): Promise<void>;
}

export interface StateStoreUnderTest {
  /** A module that exports `createStore(location: string): StateStore`; a child process loads it too. */
  readonly module: URL;
  createLocation(): Promise<StateLocation>;
  /** What a second open does while the first owner lives: it is refused, or it fences the first one. */
  readonly secondOpen: 'refused' | 'fences';
  /** How often the test kills a writing process. */
  readonly kills: number;
}

interface Place {
  readonly location: string;
  /** A store as a process of its own would open it; closed at the end of the test. */
  openStore(): StateStore;
}

const CHILD = fileURLToPath(new URL('./state-store-child.ts', import.meta.url));
const DEADLINE_MS = 60_000;

/** What every StateStore promises. */
export function describeStateStore(name: string, subject: StateStoreUnderTest): void {
  describe(`state store: ${name}`, { timeout: 480_000 }, () => {
    async function createPlace(t: TestContext): Promise<Place> {
      const { createStore } = (await import(subject.module.href)) as { createStore(location: string): StateStore };
      const { location, remove } = await subject.createLocation();
      const stores: StateStore[] = [];
      t.after(async () => {
        await Promise.all(stores.map((store) => store.close()));
        await remove();
      });
      const openStore = () => {
        const store = createStore(location);
        stores.push(store);
        return store;
      };
      return { location, openStore };
    }

    const deadline = () => AbortSignal.timeout(DEADLINE_MS);
    const entries = (record: Record<string, string | null>) => new Map(Object.entries(record));

    it('is empty at first, and peek finds nothing', async (t) => {
      const store = (await createPlace(t)).openStore();
      assert.equal(await store.peek('shop', deadline()), null);
      await using state = await store.open('shop', deadline());
      assert.deepEqual([...state.entries], []);
    });

    it('keeps what was put and deleted, in memory, for peek and over a reopen', async (t) => {
      const store = (await createPlace(t)).openStore();
      const state = await store.open('shop', deadline());
      await state.put(entries({ checkpoint: '{"a":1}', 'relation/1': 'x', 'relation/2': 'y' }), deadline());
      await state.put(entries({ checkpoint: '{"a":2}', 'relation/1': null, never: null }), deadline());
      const expected = { checkpoint: '{"a":2}', 'relation/2': 'y' };
      assert.deepEqual(Object.fromEntries(state.entries), expected);
      await awaitEqual(async () => Object.fromEntries((await store.peek('shop', deadline())) ?? []), expected);
      await state[Symbol.asyncDispose]();
      await using again = await store.open('shop', deadline());
      assert.deepEqual(Object.fromEntries(again.entries), expected);
    });

    it('is replaced as a whole by one who does not look at what there was', async (t) => {
      const store = (await createPlace(t)).openStore();
      const before = await store.open('shop', deadline());
      await before.put(entries({ checkpoint: '1', 'relation/1': 'x' }), deadline());
      await before[Symbol.asyncDispose]();
      const replaced = await store.openToReplace('shop', deadline());
      const forgotten = [...replaced.entries.keys()].map((key) => [key, null] as const);
      await replaced.put(new Map([...forgotten, ['checkpoint', '2'] as const]), deadline());
      await replaced[Symbol.asyncDispose]();
      await using again = await store.open('shop', deadline());
      assert.deepEqual(Object.fromEntries(again.entries), { checkpoint: '2' });
    });

    it('gives every value back to the byte', async (t) => {
      const store = (await createPlace(t)).openStore();
      const values = entries({
        'spaced json': '{ "a" : 1.0, "b": 12345678901234567890 }',
        'not json': 'plain \u0000 text\n',
        empty: '',
        'topic/Ünï.cødé-表': '"→ 🦊"',
        ['__proto__']: '{"__proto__":{"x":1}}',
        '7': '7',
      });
      const state = await store.open('shop', deadline());
      await state.put(values, deadline());
      await state[Symbol.asyncDispose]();
      await using again = await store.open('shop', deadline());
      assert.deepEqual(new Map([...again.entries].sort()), new Map([...values].sort()));
    });

    it('does nothing for an empty put', async (t) => {
      const store = (await createPlace(t)).openStore();
      await using state = await store.open('shop', deadline());
      await state.put(new Map(), deadline());
      assert.equal(state.entries.size, 0);
    });

    it('takes 1,000 entries and more than a megabyte in one put', async (t) => {
      const store = (await createPlace(t)).openStore();
      const many = new Map<string, string>();
      for (let i = 0; i < 1_000; i += 1) many.set(`relation/${i}`, JSON.stringify({ i, padding: 'p'.repeat(1_500) }));
      const state = await store.open('shop', deadline());
      await state.put(many, deadline());
      await state[Symbol.asyncDispose]();
      await using again = await store.open('shop', deadline());
      assert.deepEqual(new Map([...again.entries].sort()), new Map([...many].sort()));
    });

    it('runs puts that were asked for at once in their order', async (t) => {
      const store = (await createPlace(t)).openStore();
      const state = await store.open('shop', deadline());
      const puts = Array.from({ length: 20 }, (_, i) => state.put(entries({ n: `${i}`, [`k${i}`]: '1' }), deadline()));
      await Promise.all(puts);
      await state[Symbol.asyncDispose]();
      await using again = await store.open('shop', deadline());
      assert.equal(again.entries.get('n'), '19');
      assert.equal(again.entries.size, 21);
    });

    it('keeps sources apart that are written at the same time and have like names', async (t) => {
      const store = (await createPlace(t)).openStore();
      const names = ['shop', 'shop2', 'sho', 'shop","x', 'shop/../shop', 'Łódź 表 🦊', '.', `long-${'n'.repeat(300)}`];
      const states = await Promise.all(names.map((name) => store.open(name, deadline())));
      await Promise.all(
        states.map(async (state, i) => {
          for (let n = 0; n < 5; n += 1) await state.put(entries({ who: `${i}`, n: `${n}` }), deadline());
        }),
      );
      await states[0]!.put(entries({ who: null, n: null }), deadline());
      await Promise.all(states.map((state) => state[Symbol.asyncDispose]()));
      for (const [i, name] of names.entries()) {
        await using again = await store.open(name, deadline());
        assert.deepEqual(Object.fromEntries(again.entries), i === 0 ? {} : { who: `${i}`, n: '4' }, name);
      }
    });

    it('puts nothing once its signal is aborted, and goes on afterwards', async (t) => {
      const store = (await createPlace(t)).openStore();
      const state = await store.open('shop', deadline());
      await state.put(entries({ a: '1' }), deadline());
      const reason = new Error('asked to stop');
      await assert.rejects(state.put(entries({ a: '2' }), AbortSignal.abort(reason)), reason);
      assert.equal(state.entries.get('a'), '1');
      await awaitUntil(
        'the first put can be seen from outside, and only that',
        async () => (await store.peek('shop', deadline()))?.get('a') === '1',
      );
      await state.put(entries({ b: '3' }), deadline());
      await state[Symbol.asyncDispose]();
      await using again = await store.open('shop', deadline());
      assert.deepEqual(Object.fromEntries(again.entries), { a: '1', b: '3' });
    });

    it('does not open or peek once its signal is aborted', async (t) => {
      const store = (await createPlace(t)).openStore();
      const reason = new Error('asked to stop');
      await assert.rejects(store.open('shop', AbortSignal.abort(reason)), reason);
      await assert.rejects(store.peek('shop', AbortSignal.abort(reason)), reason);
      await using state = await store.open('shop', deadline());
      assert.equal(state.entries.size, 0);
    });

    it('refuses a put after it was disposed', async (t) => {
      const store = (await createPlace(t)).openStore();
      const state = await store.open('shop', deadline());
      await state[Symbol.asyncDispose]();
      await state[Symbol.asyncDispose]();
      await assert.rejects(state.put(entries({ a: '1' }), deadline()), { code: 'STATE_CLOSED' });
    });

    if (subject.secondOpen === 'refused') {
      it('refuses a second owner, in this process and in another one, and names the first', async (t) => {
        const { location, openStore } = await createPlace(t);
        const store = openStore();
        const other = openStore();
        const state = await store.open('shop', deadline());
        for (const second of [store, other]) {
          await assert.rejects(second.open('shop', deadline()), (error) => {
            assert.ok(error instanceof OwnershipLostError || error instanceof ConfigurationError);
            assert.match(error.message, new RegExp(`\\b${process.pid}\\b`));
            return true;
          });
        }
        const child = startChild(subject, location, 'shop');
        const [code] = (await once(child, 'exit')) as [number];
        assert.equal(code, 1, 'the child must not get the state');
        await state.put(entries({ a: '1' }), deadline());
        await state[Symbol.asyncDispose]();
        await using next = await other.open('shop', deadline());
        assert.equal(next.entries.get('a'), '1');
      });
    } else {
      it('lets the newest owner win: the older one writes nothing any more', async (t) => {
        const { openStore } = await createPlace(t);
        const older = await openStore().open('shop', deadline());
        const bystander = await openStore().open('other', deadline());
        await older.put(entries({ a: 'old', b: 'old' }), deadline());
        const newer = await openStore().open('shop', deadline());
        assert.equal(newer.entries.get('a'), 'old');
        await assert.rejects(older.put(entries({ a: 'late' }), deadline()), OwnershipLostError);
        await newer.put(entries({ b: 'new' }), deadline());
        await assert.rejects(older.put(entries({ a: 'later' }), deadline()), OwnershipLostError);
        await bystander.put(entries({ a: 'bystander' }), deadline());
        const store = openStore();
        await awaitEqual(async () => Object.fromEntries((await store.peek('shop', deadline())) ?? []), {
          a: 'old',
          b: 'new',
        });
        await newer.put(entries({ c: 'still the owner' }), deadline());
      });
    }

    it('survives kill -9 in the middle of puts: old or new, never a mix, never behind what was reported', async (t) => {
      const { location, openStore } = await createPlace(t);
      const store = openStore();
      let reported = -1;
      for (let kill = 0; kill < subject.kills; kill += 1) {
        const child = startChild(subject, location, 'shop');
        const lines = reportedLines(child);
        // A different number of puts each time, then the kill falls into whatever the next put is doing.
        for (let n = 0; n <= 3 + kill; n += 1) {
          const line = await lines.next();
          assert.ok(!line.done, 'the child ended by itself');
          reported = Number(line.value);
        }
        // Not a wait for something: a kill at another moment of the put each time.
        await new Promise((resolve) => setTimeout(resolve, (kill * 7) % 23));
        child.kill('SIGKILL');
        for await (const line of lines) reported = Number(line);
        await using state = await store.open('shop', deadline());
        const values = new Set([...state.entries.values()].map((text) => (JSON.parse(text) as { n: number }).n));
        assert.equal(state.entries.size, 4);
        assert.equal(values.size, 1, `a mix of ${[...values].join(' and ')}`);
        const [stored] = values;
        assert.ok(stored === reported || stored === reported + 1, `stored ${stored}, reported ${reported}`);
      }
    });
  });
}

type Child = ChildProcessByStdio<null, Readable, null>;

function startChild(subject: StateStoreUnderTest, location: string, source: string): Child {
  return spawn(process.execPath, [CHILD, subject.module.href, location, source], {
    stdio: ['ignore', 'pipe', process.env.DEBUG_CHILD ? 'inherit' : 'ignore'],
  });
}

async function* reportedLines(child: Child): AsyncGenerator<string, void> {
  let rest = '';
  for await (const chunk of child.stdout.setEncoding('utf8')) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
}
