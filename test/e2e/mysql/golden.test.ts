import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { before, describe, it } from 'node:test';
import {
  decode,
  type Fields,
  type PlainRecord,
  type ReceivedRecord,
  show,
  streamedRecords,
} from '../../support/golden-comparison.ts';
import { type GoldenTopic, goldenTopics } from '../../support/golden-topics.ts';
import {
  type Mismatch,
  MYSQL_GOLDEN_DIFFERENCES,
  type MysqlGoldenDifference,
} from '../../support/mysql-golden-differences.ts';
import { type MysqlGoldenRun, runMysqlGoldens } from '../../support/mysql-golden-run.ts';
import { type ServerFeatures, testedServers } from '../../support/server-features.ts';

/** Debezium's connectors; the others of the goldens wrote JSON, or read by signals. */
const NAMES = ['default', 'string', 'double', 'micro', 'nano', 'names', 'props'];
/** What no two runs have in common. */
const VOLATILE = ['version', 'ts_ms', 'ts_us', 'ts_ns', 'server_id', 'gtid', 'file', 'pos', 'thread'];

const used = new Set<MysqlGoldenDifference>();
let records = 0;

const PREFIXES = { mysql: 'my_', mariadb: 'mdb_' } as const;
const servers = await testedServers();

for (const features of servers) {
  const { server, label } = features;
  const prefix = PREFIXES[server];
  describe(`${label} as Debezium wrote it`, () => {
    const variants = NAMES.map((name) => `${prefix}${name}`);
    let run: MysqlGoldenRun;
    before(async () => {
      run = await runMysqlGoldens(features, variants);
    });

    for (const variant of variants) {
      const goldens = goldenTopics(variant, server);
      for (const golden of goldens) {
        it(golden.topic, (test) => {
          const reason = incomparable(features, golden.topic, run);
          if (reason !== null) test.skip(reason);
          else compareTopic(golden, run.topics.get(golden.topic) ?? [], features);
        });
      }

      it(`${variant} has no other topic`, () => {
        const ours = [...run.topics.keys()].filter((topic) => topic === variant || topic.startsWith(`${variant}.`));
        const theirs = new Set(goldens.map(({ topic }) => topic));
        assert.deepEqual(
          ours.filter((topic) => !theirs.has(topic)),
          [],
        );
      });
    }

    it('the daemon ended well', () => assert.equal(run.exit, 0));
  });
}

/**
 * Why a topic cannot be what it was on the server that the goldens were made on; null where it has to be. Every MariaDB has to
 * make all of them. MySQL 5.6 lacks statements: their tables are left out, and what describes or counts them all. It says
 * `int(11)` for `int`, which shows where types are propagated.
 */
function incomparable({ understandsGoldens }: ServerFeatures, topic: string, run: MysqlGoldenRun): string | null {
  if (understandsGoldens) return null;
  const lacking: Record<string, string> = {
    child: 'what a foreign key changes is not in its log',
    t_geo: 'it reads coordinates in another order',
  };
  if (topic === 'my_micro.inv.parent') return 'its places in transactions count what a foreign key changes';
  const table = /\.inv2?\.([^.]+)$/.exec(topic)?.[1];
  if (topic.startsWith('my_props.')) return 'the widths of integers are told';
  if (table === undefined) return topic.startsWith('__debezium-heartbeat.') ? null : 'it tells of every table';
  if (lacking[table] !== undefined) return lacking[table];
  const statement = run.leftOut.find((text) => new RegExp(`\\b${table}\\b`).test(text));
  return statement === undefined ? null : `left out: ${statement.slice(0, 80)}`;
}

describe('the named differences', () => {
  const isWhole = servers.length === 2 && servers.every(({ understandsGoldens }) => understandsGoldens);
  it('all show', { skip: isWhole ? false : 'only both servers together, and no old ones, show them all' }, () => {
    assert.deepEqual(
      MYSQL_GOLDEN_DIFFERENCES.filter((difference) => !used.has(difference)).map(({ line }) => line),
      [],
    );
    assert.ok(records > 1000, `${records} records were compared`);
  });

  it('are the lines of docs/debezium-differences.md', () => {
    const page = readFileSync(new URL('../../../docs/debezium-differences.md', import.meta.url), 'utf8');
    const section = page.slice(page.indexOf('## MySQL'), page.indexOf('## PostgreSQL'));
    const lines = [...section.matchAll(/^\| ([^|]+?) \|/gm)].map(([, line]) => line!);
    const named = MYSQL_GOLDEN_DIFFERENCES.map(({ line }) => line);
    assert.deepEqual(lines.filter((line) => !/^(-+|in Debezium)$/.test(line)).sort(), [...named].sort());
  });
});

function compareTopic(golden: GoldenTopic, ours: readonly ReceivedRecord[], { hasGtids }: ServerFeatures): void {
  const expected = streamedRecords(golden);
  const mismatches: Mismatch[] = [];
  const differ = (path: string, theirs: unknown, own: unknown) =>
    mismatches.push({ topic: golden.topic, path, theirs, ours: own });
  if (golden.topic.endsWith('.transaction')) compareTransactions(expected, ours, differ);
  else if (golden.topic.startsWith('__debezium-heartbeat.')) compareHeartbeats(expected, ours, differ);
  else {
    if (expected.length !== ours.length) differ('records', expected.length, ours.length);
    for (const [index, record] of expected.slice(0, ours.length).entries()) compareRecord(record, ours[index]!, differ);
  }
  const problems = mismatches.filter(
    (mismatch) => !isExcused(mismatch) && !(mismatch.path === 'source.gtid' && mismatch.ours === null && !hasGtids),
  );
  assert.deepEqual(
    problems.map(({ path, theirs, ours: own }) => `${path}: ${show(theirs)} but ours is ${show(own)}`),
    [],
  );
}

type Differ = (path: string, theirs: unknown, ours: unknown) => void;

function isExcused(mismatch: Mismatch): boolean {
  const difference = MYSQL_GOLDEN_DIFFERENCES.find((each) => each.excuses(mismatch));
  if (difference !== undefined) used.add(difference);
  return difference !== undefined;
}

function compareRecord(expected: PlainRecord, ours: ReceivedRecord, differ: Differ): void {
  records += 1;
  if (expected.keySchema !== ours.keySchema) differ('key schema', expected.keySchema, ours.keySchema);
  if (expected.valueSchema !== ours.valueSchema) differ('value schema', expected.valueSchema, ours.valueSchema);
  const value = decode(ours.value, ours.valueSchema);
  takeVolatile(expected.value, value, differ);
  compareValues(expected.key, decode(ours.key, ours.keySchema), 'key', differ);
  compareValues(expected.value, value, 'value', differ);
  const plain = (headers: PlainRecord['headers']) =>
    show(headers.filter(([name]) => name !== '__debezium.context.runId'));
  if (plain(expected.headers) !== plain(ours.headers)) differ('headers', plain(expected.headers), plain(ours.headers));
}

/** Puts our volatile values into the expected record; both have one, or none. */
function takeVolatile(expected: Fields | null, ours: Fields | null, differ: Differ): void {
  if (expected === null || ours === null) return;
  for (const [theirs, own] of [
    [expected.source, ours.source],
    [expected, ours],
  ] as [Fields | undefined, Fields | undefined][]) {
    if (theirs === undefined || own === undefined) continue;
    for (const name of VOLATILE.filter((volatile) => volatile in theirs)) {
      if ((theirs[name] === null) !== (own[name] === null)) differ(`source.${name}`, theirs[name], own[name]);
      theirs[name] = own[name];
    }
  }
  const theirs = expected.transaction as Fields | null | undefined;
  const own = ours.transaction as Fields | null | undefined;
  if (theirs && own) {
    const { gtid, file } = ours.source as Fields;
    if (gtid !== null) assert.equal(own.id, gtid, 'the transaction is the GTID of its rows');
    else assert.ok(String(own.id).startsWith(`file=${file},pos=`), 'without GTIDs it is the place where it begins');
    theirs.id = own.id;
  }
}

function compareValues(theirs: unknown, ours: unknown, path: string, differ: Differ): void {
  if (Array.isArray(theirs) && Array.isArray(ours) && theirs.length === ours.length) {
    for (const [index, item] of theirs.entries()) {
      compareValues(item, ours[index], `${path}.${(item as Fields | null)?.name ?? index}`, differ);
    }
  } else if (isFields(theirs) && isFields(ours)) {
    for (const name of new Set([...Object.keys(theirs), ...Object.keys(ours)])) {
      compareValues(theirs[name], ours[name], `${path}.${name}`, differ);
    }
  } else if (show(theirs) !== show(ours)) differ(path, theirs, ours);
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !Buffer.isBuffer(value);
}

/** Transactions without rows are those of Debezium's own signals too: how many there are is not compared. */
function compareTransactions(expected: readonly PlainRecord[], ours: readonly ReceivedRecord[], differ: Differ): void {
  const ends = (values: readonly (Fields | null)[]) =>
    values.flatMap((value) => {
      if (value?.status !== 'END' || value.event_count === 0n) return [];
      const collections = (value.data_collections as Fields[]).map(
        (item) => `${item.data_collection}: ${item.event_count}`,
      );
      return [collections.sort().join(', ')];
    });
  const own = ours.map(({ value, valueSchema }) => decode(value, valueSchema));
  compareValues(ends(expected.map(({ value }) => value)), ends(own), 'transactions', differ);
  for (const { keySchema, valueSchema } of ours) {
    if (keySchema !== expected[0]!.keySchema) differ('key schema', expected[0]!.keySchema, keySchema);
    if (valueSchema !== expected[0]!.valueSchema) differ('value schema', expected[0]!.valueSchema, valueSchema);
  }
  const begins = own.filter((value) => value?.status === 'BEGIN').map((value) => value!.id);
  assert.deepEqual(
    own.filter((value) => value?.status === 'END').map((value) => value!.id),
    begins,
  );
}

function compareHeartbeats(expected: readonly PlainRecord[], ours: readonly ReceivedRecord[], differ: Differ): void {
  assert.ok(ours.length > 0);
  for (const { key, keySchema, valueSchema } of ours) {
    if (keySchema !== expected[0]!.keySchema) differ('key schema', expected[0]!.keySchema, keySchema);
    if (valueSchema !== expected[0]!.valueSchema) differ('value schema', expected[0]!.valueSchema, valueSchema);
    compareValues(expected[0]!.key, decode(key, keySchema), 'key', differ);
  }
}
