import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AvroDecoder, schemaId } from '../support/avro-decoder.ts';
import { Daemon } from '../support/daemon-process.ts';
import { deleteKafkaTopics } from '../support/kafka-topics.ts';
import { createPostgresDatabase } from '../support/postgres-database.ts';
import { registryUrl } from '../support/services.ts';
import { awaitConfirmed } from '../support/slot-progress.ts';
import { testSource } from '../support/test-source.ts';
import { readTopics } from '../support/topic-reader.ts';
import { uniqueName } from '../support/unique-name.ts';

interface Step {
  readonly ddl: string;
  readonly insert: string;
  /** The row as it must arrive. */
  readonly row: Readonly<Record<string, unknown>>;
  /** False where the wire form stays as it was. */
  readonly newSchema: boolean;
}

const TABLES = `
CREATE TYPE mood AS ENUM ('sad', 'fine');
CREATE TABLE t (id int PRIMARY KEY, name text NOT NULL, m mood)`;

const STEPS: readonly Step[] = [
  {
    ddl: 'SELECT 1',
    insert: "INSERT INTO t VALUES (1, 'one', 'sad')",
    row: { id: 1, name: 'one', m: 'sad' },
    newSchema: true,
  },
  {
    ddl: 'ALTER TABLE t ADD COLUMN price numeric(10,2) NOT NULL DEFAULT 1.50',
    insert: "INSERT INTO t VALUES (2, 'two', 'fine')",
    row: { id: 2, name: 'two', m: 'fine', price: Buffer.from([150 >> 8, 150 & 0xff]) },
    newSchema: true,
  },
  {
    ddl: 'ALTER TABLE t RENAME COLUMN name TO title',
    insert: "INSERT INTO t VALUES (3, 'three', 'sad', 2)",
    row: { id: 3, title: 'three', m: 'sad', price: Buffer.from([0, 200]) },
    newSchema: true,
  },
  {
    ddl: 'ALTER TABLE t DROP COLUMN price',
    insert: "INSERT INTO t VALUES (4, 'four', 'sad')",
    row: { id: 4, title: 'four', m: 'sad' },
    newSchema: true,
  },
  {
    ddl: 'ALTER TABLE t ALTER COLUMN title DROP NOT NULL',
    insert: "INSERT INTO t VALUES (5, NULL, 'sad')",
    row: { id: 5, title: null, m: 'sad' },
    newSchema: true,
  },
  {
    ddl: "ALTER TYPE mood ADD VALUE 'elated' BEFORE 'sad'",
    insert: "INSERT INTO t VALUES (6, 'six', 'elated')",
    row: { id: 6, title: 'six', m: 'elated' },
    newSchema: true,
  },
  {
    ddl: 'ALTER TABLE t ADD COLUMN amount int',
    insert: "INSERT INTO t VALUES (7, 'seven', 'sad', 70000)",
    row: { id: 7, title: 'seven', m: 'sad', amount: 70_000 },
    newSchema: true,
  },
  {
    ddl: 'ALTER TABLE t ALTER COLUMN amount TYPE bigint',
    insert: "INSERT INTO t VALUES (8, 'eight', 'sad', 5000000000)",
    row: { id: 8, title: 'eight', m: 'sad', amount: 5_000_000_000n },
    newSchema: true,
  },
  {
    // Written and rolled back: nobody may see the column.
    ddl: 'BEGIN; ALTER TABLE t ADD COLUMN never int; ROLLBACK',
    insert: "INSERT INTO t VALUES (9, 'nine', 'sad', 9)",
    row: { id: 9, title: 'nine', m: 'sad', amount: 9n },
    newSchema: false,
  },
  {
    ddl: 'ALTER TABLE t ADD COLUMN late int; ALTER TABLE t DROP COLUMN late; ALTER TABLE t ADD COLUMN late text',
    insert: "INSERT INTO t VALUES (10, 'ten', 'sad', 10, 'x')",
    row: { id: 10, title: 'ten', m: 'sad', amount: 10n, late: 'x' },
    newSchema: true,
  },
];

interface Change {
  readonly row: Readonly<Record<string, unknown>>;
  readonly schema: number;
}

async function readChanges(topic: string): Promise<Change[]> {
  const decoder = new AvroDecoder();
  return Promise.all(
    (await readTopics([topic])).map(async ({ value }) => ({
      // avsc gives objects of a class of their own.
      row: { ...((await decoder.decode(value)) as { after: Record<string, unknown> }).after },
      schema: schemaId(value!),
    })),
  );
}

async function withDaemon(
  play: (stage: {
    name: string;
    query: (sql: string) => Promise<unknown>;
    daemon: Daemon;
    confirmed: () => Promise<void>;
  }) => Promise<void>,
): Promise<void> {
  const name = uniqueName('ddl');
  await using database = await createPostgresDatabase({ prefix: 'ddl', sql: TABLES });
  await using daemon = await Daemon.create({ sources: [testSource(name, database)] });
  try {
    await daemon.start().streaming();
    await play({
      name,
      daemon,
      query: (sql) => database.query(sql),
      confirmed: () => awaitConfirmed(database, name),
    });
  } finally {
    await deleteKafkaTopics(name);
  }
}

test('every schema change gives the right values under a schema of its own, while streaming', {
  timeout: 360_000,
}, async () => {
  await withDaemon(async ({ name, query, confirmed }) => {
    for (const { ddl, insert } of STEPS) {
      await query(ddl);
      await query(insert);
      await confirmed();
    }
    const changes = await readChanges(`${name}.public.t`);
    assert.deepEqual(
      changes.map(({ row }) => row),
      STEPS.map(({ row }) => row),
    );
    const schemas = changes.map(({ schema }) => schema);
    for (const [i, step] of STEPS.entries()) {
      if (i > 0) assert.equal(schemas[i] !== schemas[i - 1], step.newSchema, `step ${i}: ${step.ddl}`);
    }
    const versions = (await (
      await fetch(`${registryUrl()}/subjects/${name}.public.t-value/versions`)
    ).json()) as number[];
    assert.equal(versions.length, new Set(schemas).size);
    const labels = /"allowed":"([^"]*)"/.exec(await new AvroDecoder().schemaText(schemas.at(-1)!))?.[1];
    assert.equal(labels, 'elated,sad,fine');
  });
});

test('rows from before a schema change keep their values when the daemon meets them after it', {
  timeout: 360_000,
}, async () => {
  await withDaemon(async ({ name, query, daemon, confirmed }) => {
    await daemon.kill();
    for (const { ddl, insert } of STEPS) {
      await query(ddl);
      await query(insert);
    }
    await daemon.start().streaming();
    await confirmed();
    const first = await readChanges(`${name}.public.t`);
    assert.deepEqual(
      first.map(({ row }) => row),
      STEPS.map(({ row }) => row),
    );
    assert.equal(await daemon.stop(), 0);
  });
});
