import assert from 'node:assert/strict';
import type { Daemon } from './daemon-process.ts';
import { deleteKafkaTopics } from './kafka-topics.ts';
import { readEnvelopes } from './read-rows.ts';

/** Of a chunk of the tested sources; two chunks are read at the same time. */
export const CHUNK_ROWS = 1000;

export interface SnapshotUnderLoad {
  /** Of the source, and the prefix of its topics. */
  readonly name: string;
  readonly daemon: Daemon;
  /** Rows of `items` in the beginning. */
  readonly rows: number;
  /** How often the daemon is killed while the snapshot is under way. */
  readonly kills: number;
  /** Topics of the tables `items`, `mixed` (3000 rows) and `keyless` (500 rows). */
  readonly topics: { readonly items: string; readonly mixed: string; readonly keyless: string };
  readonly stop: AbortController;
  /** Each resolves with its count of writes to `items` once `stop` is aborted. */
  readonly writers: readonly Promise<number>[];
  query(sql: string): Promise<readonly unknown[]>;
  say(text: string): void;
}

/** Lets a daemon snapshot tables that are written to, kills it meanwhile, and compares what is folded with the tables. */
export async function snapshotUnderLoad(run: SnapshotUnderLoad): Promise<void> {
  const { name, daemon, rows: count, kills, topics, stop, writers, query, say } = run;
  try {
    daemon.start();
    for (let kill = 1; kill <= kills; kill++) {
      await daemon.until(`kill ${kill} finds a snapshot under way`, async () => {
        const { snapshot } = await daemon.status(name);
        const done = snapshot?.tables.reduce((sum, table) => sum + table.rows, 0) ?? 0;
        return snapshot?.state === 'running' && done >= (kill * count) / (kills + 2);
      });
      await daemon.kill();
      daemon.start();
    }
    const isComplete = async () => {
      const { snapshot, state } = await daemon.status(name);
      return snapshot?.state === 'completed' && state === 'streaming';
    };
    await daemon.until('the snapshot is complete', isComplete, 60_000);
    stop.abort();
    const writes = (await Promise.all(writers)).reduce((sum, each) => sum + each, 0);
    await query("INSERT INTO items VALUES (-1, 0, 'end')");
    // Not the lag, which is 0 until the source has told of the row.
    const all = await daemon.until('the end is published', async () => {
      const read = await readEnvelopes(topics.items);
      return read.at(-1)?.after?.id === -1 ? read : null;
    });
    const folded = new Map<number, string>();
    let repeated = 0;
    for (const { op, before, after } of all) {
      if (op === 'd') folded.delete(Number(before!.id));
      else {
        const known = folded.get(Number(after!.id));
        if (known !== undefined && BigInt(known) > BigInt(String(after!.v))) repeated += 1;
        folded.set(Number(after!.id), String(after!.v));
      }
    }
    if (kills === 0) assert.equal(repeated, 0, 'no key steps back');
    const rows = (await query('SELECT id, v FROM items ORDER BY id')) as { id: number; v: number | string }[];
    assert.deepEqual(
      [...folded].sort(([a], [b]) => a - b),
      rows.map(({ id, v }) => [id, String(v)]),
    );
    const read = all.filter(({ op }) => op === 'r').length;
    say(`${writes} writes, ${read} rows read of ${rows.length}, ${repeated} states repeated`);
    assert.ok(read <= count * 1.1 + kills * 2 * CHUNK_ROWS, 'only what was under way is read again');
    const mixed = await readEnvelopes(topics.mixed);
    assert.equal(new Set(mixed.map(({ after }) => `${after!.a} ${after!.b}`)).size, 3000);
    const keyless = await readEnvelopes(topics.keyless);
    if (kills === 0) assert.equal(keyless.length, 500);
    assert.equal(new Set(keyless.map(({ after }) => after!.t)).size, 500);
    assert.equal(await daemon.stop(), 0);
  } finally {
    stop.abort();
    await Promise.allSettled(writers);
    await deleteKafkaTopics(name);
  }
}
