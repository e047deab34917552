import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AvroDecoder } from '../../support/avro-decoder.ts';
import { Daemon } from '../../support/daemon-process.ts';
import { awaitTopicEnds, deleteKafkaTopics } from '../../support/kafka-topics.ts';
import { createMysqlDatabase, type MysqlDatabase, mysqlSource } from '../../support/mysql-database.ts';
import {
  MIGRATED_SCHEMA,
  MigratedWriter,
  runGhost,
  runPtOnlineSchemaChange,
} from '../../support/online-schema-change.ts';
import { testedServers } from '../../support/server-features.ts';
import { readTopics } from '../../support/topic-reader.ts';
import { uniqueName } from '../../support/unique-name.ts';

const TOOLS = { 'gh-ost': runGhost, 'pt-online-schema-change': runPtOnlineSchemaChange };

for (const { server, label } of await testedServers()) {
  for (const [tool, run] of Object.entries(TOOLS)) {
    describe(`${tool} changes a captured table of ${label} under load`, () => {
      for (const presence of ['the daemon reads on', 'the daemon is away meanwhile'] as const) {
        it(presence, { timeout: 360_000 }, async () => {
          const name = uniqueName('osc');
          await using database = await createMysqlDatabase(server, MIGRATED_SCHEMA);
          const only = { tables: { include: [`${database.name}\\.(t|done)`] } };
          await using daemon = await Daemon.create({
            sources: [mysqlSource(`${name}_one`, database, only), mysqlSource(`${name}_all`, database)],
          });
          try {
            await daemon.start().streaming();
            await using writer = await MigratedWriter.start(database);
            await writer.wrote(100);
            const isAway = presence !== 'the daemon reads on';
            if (isAway) assert.equal(await daemon.stop(), 0);
            await run(database, writer);
            await writer.wrote(50);
            if (isAway) await daemon.start().streaming();
            await writer.wrote(20);
            await writer.stop();
            await database.query('CREATE TABLE done (id int PRIMARY KEY)');
            await database.query('INSERT INTO done VALUES (1)');
            for (const prefix of [`${name}_one`, `${name}_all`]) {
              await awaitTopicEnds(new Map([[`${prefix}.${database.name}.done`, 1]]), 90_000);
              await assertFolds(prefix, database, writer.written);
            }
            assert.equal(await daemon.stop(), 0);
          } finally {
            await deleteKafkaTopics(name);
          }
        });
      }
    });
  }
}

/** Every change of `t` is told once, in order, and together they make the table. */
async function assertFolds(prefix: string, database: MysqlDatabase, written: number): Promise<void> {
  const decoder = new AvroDecoder();
  const folded = new Map<number, Record<string, unknown>>();
  const versions = new Map<number, number>();
  let changes = 0;
  for (const { value } of await readTopics([`${prefix}.${database.name}.t`])) {
    const change = (await decoder.decode(value)) as { before: Row | null; after: Row | null } | null;
    if (change === null) continue;
    changes += 1;
    const id = (change.after ?? change.before)!.id;
    const before = versions.get(id) ?? 0;
    assert.equal(change.after?.v ?? change.before!.v + 1, before + 1, `the version of ${id}`);
    versions.set(id, before + 1);
    if (change.after === null) folded.delete(id);
    else folded.set(id, { ...change.after });
  }
  assert.equal(changes, written);
  const rows = await database.query<Row>('SELECT * FROM t ORDER BY id');
  // Of a row that was not changed since, the topic has neither the new column nor what the tool made of the note.
  const plain = ({ id, v }: Row) => ({ id, v });
  const told = [...folded.values()].sort((one, other) => Number(one.id) - Number(other.id)) as unknown as Row[];
  assert.deepEqual(told.map(plain), rows.map(plain));
  assert.ok(
    told.some(({ added }) => added === 7),
    'the new column is told',
  );
}

interface Row {
  readonly id: number;
  readonly v: number;
  readonly added?: number;
}
