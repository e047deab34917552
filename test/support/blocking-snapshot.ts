import assert from 'node:assert/strict';
import { Daemon } from './daemon-process.ts';
import type { AnyDatabase, EachDatabase } from './every-database.ts';
import { deleteKafkaTopics } from './kafka-topics.ts';
import { type ReadEnvelope, readEnvelopes } from './read-rows.ts';
import { uniqueName } from './unique-name.ts';
import { verify } from './verify-command.ts';

const ROWS = 8_000;

function schema(): string[] {
  const rows = Array.from({ length: ROWS / 1_000 }, (_, lot) => {
    const values = Array.from({ length: 1_000 }, (_, i) => `(${lot * 1_000 + i + 1}, 0, '${'x'.repeat(100)}')`);
    return `INSERT INTO items VALUES ${values.join(', ')}`;
  });
  return [
    'CREATE TABLE items (id int PRIMARY KEY, v int NOT NULL, pad varchar(200))',
    ...rows,
    'CREATE TABLE keyless (v int)',
    'INSERT INTO keyless VALUES (1), (2), (3)',
  ];
}

/** Changes and removes rows until told to stop; each state of a row has a greater `v` than the one before. */
async function write(database: AnyDatabase, stop: AbortSignal): Promise<void> {
  for (let count = 1; !stop.aborted; count++) {
    const id = 1 + ((count * 7_919) % ROWS);
    if (count % 5 === 0) await database.query(`DELETE FROM items WHERE id = ${id}`);
    else if (count % 7 === 0) await database.query(`INSERT INTO items VALUES (${ROWS + count}, ${count}, 'new')`);
    else await database.query(`UPDATE items SET v = ${count} WHERE id = ${id}`);
    if (count % 10 === 0) await database.query(`INSERT INTO keyless VALUES (${count + 10})`);
  }
}

/** Keys whose state steps back. */
function stepsBack(envelopes: readonly ReadEnvelope[]): number {
  const newest = new Map<number, number>();
  let count = 0;
  for (const { after } of envelopes) {
    if (after === null) continue;
    if (Number(after.v) < (newest.get(Number(after.id)) ?? 0)) count += 1;
    newest.set(Number(after.id), Number(after.v));
  }
  return count;
}

function assertReadFirst(envelopes: readonly ReadEnvelope[]): void {
  const lastRead = envelopes.findLastIndex(({ op }) => op === 'r');
  assert.deepEqual(
    envelopes.slice(0, lastRead + 1).filter(({ op }) => op !== 'r'),
    [],
    'nothing of the stream comes before the last row that is read',
  );
}

/** All rows of a blocking snapshot come first, whatever is written meanwhile and however often the daemon is killed. */
export async function blockingSnapshot({ create }: EachDatabase, kills: number): Promise<void> {
  const name = uniqueName('block');
  await using database = await create(schema());
  const snapshot = { mode: 'initial', blocking: true, chunk_rows: 200 };
  await using daemon = await Daemon.create({ sources: [database.source(name, { snapshot })] });
  const stop = new AbortController();
  const writing = write(database, stop.signal);
  const topic = (table: string) => `${name}.${database.schema}.${table}`;
  const done = async () => {
    const tables = (await daemon.status(name)).snapshot?.tables ?? [];
    return tables.reduce((sum, { rows }) => sum + rows, 0);
  };
  try {
    daemon.start();
    for (let kill = 1; kill <= kills; kill++) {
      await daemon.until('rows are read', async () => (await done()) > 500);
      await daemon.kill();
      daemon.start();
    }
    const isPassed = async () => {
      const { state, snapshot: read } = await daemon.status(name);
      return state === 'streaming' && read?.state === 'completed';
    };
    await daemon.until('it streams', isPassed, 60_000);
    stop.abort();
    await writing;
    await database.query(`INSERT INTO items VALUES (-1, 0, 'end')`);
    const items = await daemon.until('the end is published', async () => {
      const read = await readEnvelopes(topic('items'));
      return read.at(-1)?.after?.id === -1 ? read : null;
    });
    assertReadFirst(items);
    assertReadFirst(await readEnvelopes(topic('keyless')));
    assert.ok(items.some(({ op }) => op === 'u'));
    if (kills === 0) assert.equal(stepsBack(items), 0);
    const tables = kills === 0 ? ['items', 'keyless'] : ['items'];
    for (const table of tables) {
      const verdict = await verify(daemon.configPath, name, '--table', table);
      assert.equal(verdict.code, 0, `${table}: ${verdict.stderr}${JSON.stringify(verdict.report)}`);
    }
    assert.equal(await daemon.stop(), 0);
  } finally {
    stop.abort();
    await writing;
    await deleteKafkaTopics(name);
  }
}
