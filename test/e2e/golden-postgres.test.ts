import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { before, describe, it } from 'node:test';
import { decode, differencesOf, type ReceivedRecord, show, streamedRecords } from '../support/golden-comparison.ts';
import {
  amended,
  differencesIn,
  GOLDEN_DIFFERENCES,
  type GoldenDifference,
  OTHER_LINES,
} from '../support/golden-differences.ts';
import { compareEvolution } from '../support/golden-evolution.ts';
import { type GoldenRun, runGoldens } from '../support/golden-run.ts';
import { type GoldenTopic, goldenTopics } from '../support/golden-topics.ts';
import {
  compareRowsWithTransactions,
  compareTransactions,
  snapshotTransactions,
  withoutEmpty,
} from '../support/golden-transactions.ts';

/** Debezium's connectors; the two others of the goldens wrote JSON. */
const VARIANTS = [
  'default',
  'string',
  'double',
  'micro',
  'nano',
  'atm',
  'structured',
  'names',
  'namesuni',
  'props',
  'incr',
].map((name) => `pg_${name}`);

const goldens = VARIANTS.flatMap((variant) => goldenTopics(variant)).filter(isBuilt);
const used = new Set<GoldenDifference>();
let run: GoldenRun;
/** By variant. */
const compared = new Map<string, { records: number; readonly schemas: Set<string> }>();

before(async () => {
  run = await runGoldens(VARIANTS, goldens);
});

for (const variant of VARIANTS) {
  describe(`${variant} as Debezium wrote it`, () => {
    for (const golden of goldens.filter((topic) => topic.variant === variant)) {
      it(golden.topic, () => compareTopic(golden));
    }

    it('has no other topic', () => {
      const ours = [...run.topics.keys()].filter((topic) => topic.includes(variant) && topicVariant(topic) === variant);
      const theirs = goldens.filter((golden) => golden.variant === variant && streamedRecords(golden).length > 0);
      assert.deepEqual(ours.sort(), theirs.map(({ topic }) => topic).sort());
    });
  });
}

describe('a registry that Debezium filled', () => {
  it('gets no version that is not a named difference', () => {
    const grown: Record<string, number> = {};
    for (const [subject, count] of run.versionsAfter) {
      const added = count - run.versionsBefore.get(subject)!;
      if (added !== 0 && !ofItsOwn(subject)) grown[subject] = added;
    }
    assert.deepEqual(grown, namedVersions());
  });

  it('held every schema of Debezium before', () => {
    for (const { subjects } of goldens) {
      for (const { subject } of subjects) {
        const count = subjects.filter((other) => other.subject === subject).length;
        assert.equal(run.versionsBefore.get(subject), count, subject);
      }
    }
  });
});

describe('the named differences', () => {
  it('all show', () => {
    assert.deepEqual(
      GOLDEN_DIFFERENCES.filter((difference) => !used.has(difference)),
      [],
    );
  });

  it('are the lines of docs/debezium-differences.md', () => {
    const page = readFileSync(new URL('../../docs/debezium-differences.md', import.meta.url), 'utf8');
    const postgres = page.slice(page.indexOf('## PostgreSQL'));
    const lines = [...postgres.matchAll(/^\| ([^|]+?) \|/gm)].map(([, line]) => line!);
    const known = new Set([...GOLDEN_DIFFERENCES.map(({ line }) => line), ...OTHER_LINES]);
    assert.deepEqual(lines.filter((line) => !/^(-+|in Debezium)$/.test(line)).sort(), [...known].sort());
  });
});

it('the daemon ended well, and everything was compared', (t) => {
  assert.equal(run.exit, 0);
  const read = [...run.topics.values()].reduce((sum, topic) => sum + topic.length, 0);
  let sum = 0;
  for (const [variant, { records, schemas }] of compared) {
    t.diagnostic(`${variant}: ${records} records, ${schemas.size} schemas`);
    sum += records;
  }
  assert.equal(sum, read);
});

function compareTopic(golden: GoldenTopic): void {
  const ours = run.topics.get(golden.topic) ?? [];
  count(golden.variant, ours);
  const expected = streamedRecords(golden);
  const name = golden.topic.slice(golden.variant.length + 1);
  if (golden.topic.startsWith('__debezium-heartbeat.')) compareHeartbeats(golden, ours);
  else if (name === 'inv.evolve') compareEvolution(expected, ours);
  else if (run.postgresVersion < 15 && name === 'inv.t_num') assert.equal(ours.length, expected.length);
  else if (name === 'transaction') {
    const signals = goldens.find(({ topic }) => topic === `${golden.variant}.inv.dbz_signal`);
    // Before 15, Postgres also sends transactions that touch no published table.
    const boundaries = run.postgresVersion < 15 ? withoutEmpty(ours) : ours;
    compareTransactions(expected, boundaries, snapshotTransactions(signals));
    const rows = [...run.topics].filter(([topic]) => topicVariant(topic) === golden.variant && topic !== golden.topic);
    compareRowsWithTransactions(
      boundaries,
      rows.flatMap(([, records]) => records),
    );
  } else {
    amended(golden, expected, used);
    const problems = expected
      .slice(0, ours.length)
      .flatMap((record, i) =>
        differencesOf(record, ours[i]!).map((problem) => `record ${i}, key ${show(record.key)}: ${problem}`),
      );
    if (expected.length !== ours.length) problems.push(`${expected.length} records, but ours are ${ours.length}`);
    assert.deepEqual(problems, []);
  }
}

function count(variant: string, records: readonly ReceivedRecord[]): void {
  const sofar = compared.get(variant) ?? { records: 0, schemas: new Set() };
  compared.set(variant, sofar);
  sofar.records += records.length;
  for (const { keySchema, valueSchema } of records) {
    if (keySchema !== null) sofar.schemas.add(keySchema);
    if (valueSchema !== null) sofar.schemas.add(valueSchema);
  }
}

function compareHeartbeats(golden: GoldenTopic, ours: readonly ReceivedRecord[]): void {
  const [theirs] = golden.records;
  assert.ok(ours.length > 0);
  for (const record of ours) {
    assert.deepEqual(record.key?.subarray(5), theirs!.key!.subarray(5));
    assert.equal(record.keySchema, theirs!.keySchema);
    assert.equal(record.valueSchema, theirs!.valueSchema);
    assert.deepEqual(record.headers, theirs!.headers);
    const ageMs = Date.now() - Number(decode(record.value, record.valueSchema)!.ts_ms);
    assert.ok(ageMs >= 0 && ageMs < 600_000, `${ageMs} ms old`);
  }
}

/** Subjects of tables that are not compared letter by letter. */
function ofItsOwn(subject: string): boolean {
  if (subject.includes('.inv.evolve-')) return true;
  // Two of its columns cannot be made there.
  return run.postgresVersion < 15 && subject.includes('.inv.t_num-');
}

/** The signals of the goldens are not acted on here, so nothing is told of snapshots. */
function isBuilt({ topic }: GoldenTopic): boolean {
  return !topic.endsWith('.notifications');
}

function topicVariant(topic: string): string {
  return VARIANTS.find((variant) => topic.startsWith(`${variant}.`) || topic === `__debezium-heartbeat.${variant}`)!;
}

function namedVersions(): Record<string, number> {
  const named = goldens.flatMap((golden) =>
    differencesIn(golden).flatMap(({ newVersions }) =>
      Object.entries(newVersions ?? {}).map(([subject, count]) => [`${golden.variant}.${subject}`, count] as const),
    ),
  );
  return Object.fromEntries(named);
}
