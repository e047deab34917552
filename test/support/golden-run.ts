import { AvroDecoder, schemaId } from './avro-decoder.ts';
import { awaitUntil } from './await-until.ts';
import { Daemon } from './daemon-process.ts';
import type { ReceivedRecord } from './golden-comparison.ts';
import { type GoldenTopic, goldenConnectors, goldenSql } from './golden-topics.ts';
import { awaitTopicEnds, deleteTopicsNamed } from './kafka-topics.ts';
import { createPostgresDatabase, type PostgresDatabase } from './postgres-database.ts';
import { registryUrl } from './services.ts';
import { sqlStatements } from './sql-statements.ts';
import { listTopics, type ReadRecord, readTopics } from './topic-reader.ts';

/** Debezium's records name the database, so it cannot have a name of its own for each run. */
const DATABASE = 'golden';

/** Where the catalog begins to change: until everything before is streamed, no record may see a later column. */
const FIRST_DDL = /^alter table inv\.evolve add c /;

/** Of Debezium's properties, those whose feature this version does not have. */
const LEFT_OUT = /^(signal|notification|incremental\.snapshot)\./;

export interface GoldenRun {
  readonly postgresVersion: number;
  /** Records by topic, in order. */
  readonly topics: ReadonlyMap<string, readonly ReceivedRecord[]>;
  /** Number of versions by subject, of subjects that existed before the run. */
  readonly versionsBefore: ReadonlyMap<string, number>;
  readonly versionsAfter: ReadonlyMap<string, number>;
  /** What SIGTERM ended with. */
  readonly exit: number | NodeJS.Signals;
}

/**
 * Does what was done when the goldens were made, with one daemon in the place of Debezium's connectors: the schema, a source
 * for each connector, then the changes. The registry holds the connectors' schemas already, as after a migration.
 */
export async function runGoldens(variants: readonly string[], goldens: readonly GoldenTopic[]): Promise<GoldenRun> {
  await deleteTopicsNamed(await ourTopics(variants));
  await forgetSubjects(subjectsOf(goldens));
  try {
    const versionsBefore = await registerAll(goldens);
    await using database = await createPostgresDatabase({ name: DATABASE });
    const [server] = await database.query<{ version: number }>(
      "SELECT current_setting('server_version_num')::int / 10000 AS version",
    );
    const postgresVersion = server!.version;
    await runScript(database, sqlStatements(schemaFor(postgresVersion)));
    const url = new URL(database.url);
    await using daemon = await Daemon.create({ sources: variants.map((variant) => sourceOf(variant, url)) });
    await withLog(daemon, daemon.start().streaming(60_000));
    await change(database, variants, goldens, daemon);
    const exit = await daemon.stop();
    const topics = await received(await readTopics(await ourTopics(variants)));
    return {
      postgresVersion,
      topics,
      versionsBefore,
      versionsAfter: await versionCounts([...versionsBefore.keys()]),
      exit,
    };
  } finally {
    await deleteTopicsNamed(await ourTopics(variants));
  }
}

/** Before 15, a scale lies between 0 and the precision. */
function schemaFor(postgresVersion: number): string {
  const sql = goldenSql('00-schema-and-snapshot-rows');
  return postgresVersion >= 15 ? sql : sql.replace(/numeric\((5,-2|3,5)\)/g, 'numeric');
}

async function received(records: readonly ReadRecord[]): Promise<Map<string, ReceivedRecord[]>> {
  const decoder = new AvroDecoder();
  const texts = new Map<number, string>();
  const parts = records.flatMap(({ key, value }) => [key, value]).filter((bytes) => bytes !== null);
  await inParallel([...new Set(parts.map(schemaId))], async (id) => {
    texts.set(id, await decoder.schemaText(id));
  });
  const textOf = (bytes: Buffer | null) => (bytes === null ? null : texts.get(schemaId(bytes))!);
  const topics = new Map<string, ReceivedRecord[]>();
  for (const { topic, key, value, headers } of records) {
    const record = { key, value, headers, keySchema: textOf(key), valueSchema: textOf(value) };
    topics.set(topic, [...(topics.get(topic) ?? []), record]);
  }
  return topics;
}

/** Debezium's configuration, nearly word for word. */
function sourceOf(variant: string, database: URL): Record<string, unknown> {
  const properties = Object.entries(goldenConnectors()[variant] ?? {}).filter(
    ([name]) => !LEFT_OUT.test(name) && !/^(key|value)\.converter/.test(name),
  );
  return {
    debezium: {
      ...Object.fromEntries(properties),
      'database.hostname': database.hostname,
      'database.port': database.port || '5432',
      'database.user': database.username,
      'database.password': database.password || 'x',
      'snapshot.mode': 'no_data',
      // Debezium's default.
      'extended.headers.enabled': 'true',
    },
  };
}

async function change(
  database: PostgresDatabase,
  variants: readonly string[],
  goldens: readonly GoldenTopic[],
  daemon: Daemon,
): Promise<void> {
  const stream = sqlStatements(goldenSql('01-stream'));
  const firstDdl = stream.findIndex((statement) => FIRST_DDL.test(statement));
  if (firstDdl < 0) throw new Error('the changes of the catalog were not found in 01-stream.sql');
  const captured = (suffix: string) =>
    variants
      .map((variant) => `${variant}.${suffix}`)
      .filter((topic) => goldens.some((golden) => golden.topic === topic));
  const reached = (topics: readonly string[], count: number) =>
    withLog(daemon, awaitTopicEnds(new Map(topics.map((topic) => [topic, count])), 60_000));
  await runScript(database, stream.slice(0, firstDdl));
  // The last two statements before it: messages to everybody, and a row of the table.
  await reached(captured('message'), 3);
  await reached(captured('inv.evolve'), 1);
  await runScript(database, stream.slice(firstDdl));
  const signals = sqlStatements(goldenSql('02-signal')).filter((statement) => !statement.includes('pg_sleep'));
  await runScript(database, signals);
  await reached(captured('inv.sentinel'), 1);
  await reached(
    variants
      .map((variant) => `__debezium-heartbeat.${variant}`)
      .filter((topic) => goldens.some((g) => g.topic === topic)),
    1,
  );
}

/** What the daemon says is the first thing to look at when it did not get somewhere. */
async function withLog<T>(daemon: Daemon, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw new Error(`the daemon did not get there; the end of its log:\n${daemon.output.slice(-4_000)}`, {
      cause: error,
    });
  }
}

async function runScript(database: PostgresDatabase, statements: readonly string[]): Promise<void> {
  for (const statement of statements) {
    try {
      await database.query(statement);
    } catch (error) {
      throw new Error(`this statement of the goldens failed: ${statement.slice(0, 200)}`, { cause: error });
    }
  }
}

async function ourTopics(variants: readonly string[]): Promise<string[]> {
  const names = await listTopics('');
  return names.filter((name) =>
    variants.some((variant) => name.startsWith(`${variant}.`) || name === `__debezium-heartbeat.${variant}`),
  );
}

/**
 * Subjects of an earlier run over the same registry; a new registry has none, and nothing is deleted. They are not deleted
 * at the end of a run: see `deleteSubject` for what else Apicurio would delete.
 */
async function forgetSubjects(subjects: readonly string[]): Promise<void> {
  await inParallel(subjects, async (subject) => {
    const path = `/subjects/${encodeURIComponent(subject)}`;
    if ((await registry('GET', `${path}/versions`, null, [404])) === null) return;
    await registry('DELETE', path, null, [404]);
    await registry('DELETE', `${path}?permanent=true`, null, [404]);
  });
}

function subjectsOf(goldens: readonly GoldenTopic[]): string[] {
  return [...new Set(goldens.flatMap(({ subjects }) => subjects.map(({ subject }) => subject)))];
}

/** Registers what Debezium registered, in its order. */
async function registerAll(goldens: readonly GoldenTopic[]): Promise<Map<string, number>> {
  await inParallel(goldens, async ({ subjects }) => {
    for (const { subject, schema } of subjects) {
      const taken = await registry('POST', `/subjects/${encodeURIComponent(subject)}/versions`, { schema }, [422]);
      if (taken === null) await registerUnchecked(subject, schema);
    }
  });
  return versionCounts(subjectsOf(goldens));
}

/**
 * Debezium makes schema names with a part that begins with a digit, which Avro forbids. The converter that wrote the goldens
 * registered them through the registry's own API, which does not look at names, and so must we.
 */
async function registerUnchecked(subject: string, schema: string): Promise<void> {
  const url = new URL('/apis/registry/v2/groups/default/artifacts?ifExists=RETURN_OR_UPDATE', registryUrl());
  const response = await fetch(url, {
    method: 'POST',
    signal: AbortSignal.timeout(30_000),
    headers: {
      'content-type': 'application/json',
      'x-registry-artifactid': subject,
      'x-registry-artifacttype': 'AVRO',
    },
    body: schema,
  });
  if (!response.ok) throw new Error(`${subject}: ${response.status} ${await response.text()}`);
}

async function versionCounts(subjects: readonly string[]): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  await inParallel(subjects, async (subject) => {
    const versions = (await registry('GET', `/subjects/${encodeURIComponent(subject)}/versions`)) as unknown[];
    counts.set(subject, versions.length);
  });
  return counts;
}

/** Four hundred schemas in a row are much for a registry that shares its machine with everything else. */
const REGISTRY_TIMEOUT_MS = 60_000;

async function registry(
  method: string,
  path: string,
  body: unknown = null,
  alsoFine: readonly number[] = [],
): Promise<unknown> {
  const { answer } = await awaitUntil(
    `the registry answered ${method} ${path}`,
    async () => {
      const response = await fetch(registryUrl() + path, {
        method,
        signal: AbortSignal.timeout(30_000),
        ...(body === null
          ? {}
          : { body: JSON.stringify(body), headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' } }),
      });
      if (response.ok) return { answer: (await response.json()) as unknown };
      if (alsoFine.includes(response.status)) return { answer: null };
      throw new Error(`${response.status} ${await response.text()}`);
    },
    { timeoutMs: REGISTRY_TIMEOUT_MS },
  );
  return answer;
}

async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = [...items];
  const worker = async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: 8 }, worker));
}
