import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Daemon } from '../support/daemon-process.ts';
import { type GoldenTopic, goldenSql, goldenTopics } from '../support/golden-topics.ts';
import { createKafkaTopics } from '../support/kafka-topics.ts';
import { askRegistry } from '../support/registry.ts';
import { sqlStatements } from '../support/sql-statements.ts';
import { tailedDatabase } from '../support/tailed-database.ts';
import { appendRecords } from '../support/topic-damage.ts';
import { tableOf, verify } from '../support/verify-command.ts';

/** What of Debezium's topics is not its tables, beyond what is tolerated; docs/verify.md and docs/debezium-differences.md. */
const UNEQUAL: Readonly<Record<string, string>> = {
  'inv.dbz_signal': 'was not captured by this connector',
  'inv.MixedCase': 'was not captured by this connector',
  'inv.evolve': 'got another key while it was streamed, which is a key of its own',
  'inv.ri_index': 'has keys with zeros under REPLICA IDENTITY USING INDEX',
  'inv.t_array': 'loses elements',
  'inv.t_arraybad': 'loses arrays',
  'inv.t_default': 'has stand-ins for defaults that are expressions',
  'inv.t_time': 'loses timetz with seconds in the offset, and 24:00',
  'inv.t_timespecial': 'has arbitrary days for infinity, and loses that a date is before Christ',
  'inv.trunc_a': 'was truncated, which was not published',
  'inv.trunc_b': 'was truncated, which was not published',
};

it('topics that Debezium filled are equal but for its defects, of which some are tolerated', {
  timeout: 480_000,
}, async () => {
  await using tailed = await tailedDatabase('SELECT 1');
  for (const script of ['00-schema-and-snapshot-rows', '01-stream', '02-signal'] as const) {
    for (const statement of sqlStatements(goldenSql(script))) await tailed.query(statement);
  }
  const published = goldenTopics('pg_default').map(async (golden) => {
    const table = golden.topic.split('.inv.')[1];
    if (table !== undefined) await publish(golden, tailed.topic(`inv.${table}`));
  });
  await Promise.all(published);
  await using daemon = await Daemon.create({
    sources: [
      tailed.source({
        tables: { include: ['inv\\..*'] },
        schema_name_adjustment: 'avro',
        field_name_adjustment: 'avro_unicode',
      }),
    ],
  });
  const tolerant = await verify(daemon.configPath, tailed.prefix, '--tolerate', 'debezium');
  assert.equal(tolerant.code, 3, tolerant.stderr);
  const unequal = tolerant.report!.tables.filter(({ verdict }) => verdict !== 'equal').map(({ table }) => table);
  assert.deepEqual(unequal.sort(), Object.keys(UNEQUAL).sort(), JSON.stringify(tolerant.report, null, 1));
  assert.equal(tableOf(tolerant, 'inv.t_text').tolerated, 2, 'columns of type name');
  assert.equal(tableOf(tolerant, 'inv.toast_nn').unavailable, 1);
  assert.deepEqual(tableOf(tolerant, 'inv.ri_index').counts, { missing: 2, extra: 4, different: 0 });

  const strict = await verify(daemon.configPath, tailed.prefix, '--table', 't_text');
  assert.equal(tableOf(strict, 'inv.t_text').counts.different, 2);
});

/** Debezium's records, under the ids that their schemas have here. */
async function publish({ records }: GoldenTopic, topic: string): Promise<void> {
  const ids = new Map<string, number>();
  const withId = async (bytes: Buffer | null, schema: string | null, part: string): Promise<Buffer | null> => {
    if (bytes === null || schema === null) return bytes;
    let id = ids.get(schema);
    if (id === undefined) {
      const { body } = await askRegistry('POST', `/subjects/${encodeURIComponent(`${topic}-${part}`)}/versions`, {
        schema,
      });
      id = (body as { id: number }).id;
      ids.set(schema, id);
    }
    const framed = Buffer.from(bytes);
    framed.writeUInt32BE(id, 1);
    return framed;
  };
  await createKafkaTopics([{ topic }]);
  const made = [];
  for (const { key, keySchema, value, valueSchema } of records) {
    made.push({
      partition: 0,
      key: await withId(key, keySchema, 'key'),
      value: await withId(value, valueSchema, 'value'),
    });
  }
  if (made.length > 0) await appendRecords(topic, made);
}
