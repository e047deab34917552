import { AvroDecoder } from './avro-decoder.ts';
import { awaitUntil } from './await-until.ts';
import type { Daemon } from './daemon-process.ts';
import { awaitTopicEnds, deleteKafkaTopics, deleteTopicsNamed } from './kafka-topics.ts';
import { createPostgresDatabase, type PostgresDatabase } from './postgres-database.ts';
import { deleteSubject } from './registry.ts';
import { listTopics, type ReadRecord, readTopics } from './topic-reader.ts';
import { uniqueName } from './unique-name.ts';

/** Rows of an envelope, a key, a transaction marker: what avsc decodes, with bigints and Buffers. */
// biome-ignore lint/suspicious/noExplicitAny: a test says with its assertions what a record looks like
export type Decoded = any;

export interface DecodedRecord extends ReadRecord {
  readonly decodedKey: Decoded;
  readonly decodedValue: Decoded;
}

/** A database of one test and everything that a daemon makes of it: topics and subjects go when it is disposed. */
export interface TailedDatabase extends AsyncDisposable {
  readonly database: PostgresDatabase;
  /**
   * A source of this database, as written in YAML; `prefix` is its name and the first part of its topics. One of several
   * sources has a name of its own that begins with this database's.
   */
  source(settings?: Readonly<Record<string, unknown>>, prefix?: string): Record<string, unknown>;
  readonly prefix: string;
  query: PostgresDatabase['query'];
  /** `<prefix>.<suffix>`. */
  topic(suffix: string): string;
  /** Waits until `<prefix>.<suffix>` has at least `count` records, then gives all that it has, decoded. */
  records(suffix: string, count: number, prefix?: string): Promise<DecodedRecord[]>;
}

/** Creates a database, runs `sql` in it; use with `await using`. */
export async function tailedDatabase(sql: string): Promise<TailedDatabase> {
  const prefix = uniqueName('e2e');
  const database = await createPostgresDatabase({ prefix: 'e2e', sql });
  const decoder = new AvroDecoder();
  const topic = (suffix: string) => `${prefix}.${suffix}`;
  return {
    database,
    prefix,
    query: (text, values) => database.query(text, values),
    source: (settings = {}, name = prefix) => ({
      name,
      type: 'postgres',
      url: database.url,
      snapshot: { mode: 'no_data' },
      heartbeat: { interval: '1s' },
      ...settings,
    }),
    topic,
    async records(suffix, count, name = prefix) {
      const wanted = `${name}.${suffix}`;
      await awaitTopicEnds(new Map([[wanted, count]]), 90_000);
      return decodeAll(await readTopics([wanted]), decoder);
    },
    async [Symbol.asyncDispose]() {
      await database.drop();
      // Not asked of the registry: it lists only the first of very many subjects.
      const subjects = (await listTopics(prefix)).flatMap((name) => [`${name}-key`, `${name}-value`]);
      await Promise.all(subjects.map(deleteSubject));
      await deleteKafkaTopics(prefix);
      await deleteTopicsNamed([`__debezium-heartbeat.${prefix}`]);
    },
  };
}

/** Keys and values in the Confluent wire format; other values stay null in `decodedValue`. */
export function decodeAll(records: readonly ReadRecord[], decoder = new AvroDecoder()): Promise<DecodedRecord[]> {
  const decode = async (bytes: Buffer | null) => (bytes?.[0] === 0 ? decoder.decode(bytes) : null);
  return Promise.all(
    records.map(async (record) => ({
      ...record,
      decodedKey: await decode(record.key),
      decodedValue: await decode(record.value),
    })),
  );
}

/** Waits until the source is in `state`; the failure message has the end of the daemon's log. */
export async function awaitState(daemon: Daemon, source: string, state: string, timeoutMs = 90_000) {
  const look = async () => {
    const status = await daemon.status(source);
    return status.state === state ? status : null;
  };
  try {
    return await awaitUntil(`source ${source} was ${state}`, look, { timeoutMs });
  } catch (error) {
    throw new Error(`the end of the daemon's log:\n${daemon.output.slice(-3_000)}`, { cause: error });
  }
}

/** Waits until the initial snapshot is complete; before it begins the source may stream for a moment. */
export async function awaitSnapshot(daemon: Daemon, source: string, timeoutMs = 90_000): Promise<void> {
  const isComplete = async () => {
    const { snapshot, state } = await daemon.status(source);
    return snapshot?.state === 'completed' && state === 'streaming';
  };
  await daemon.until(`the snapshot of ${source} was complete`, isComplete, timeoutMs);
}

/** Waits until everything that was committed so far is published and checkpointed. */
export async function caughtUp(daemon: Daemon, { database }: TailedDatabase, source: string): Promise<void> {
  const [at] = await database.query<{ lsn: string }>('SELECT pg_current_wal_lsn()::text AS lsn');
  await awaitUntil(
    `the slot of ${source} was confirmed up to ${at?.lsn}`,
    async () => {
      const [slot] = await database.query<{ done: boolean }>(
        'SELECT confirmed_flush_lsn >= $1::pg_lsn AS done FROM pg_replication_slots WHERE slot_name = $2',
        [at?.lsn, `tailrace_${source}`],
      );
      return slot?.done === true;
    },
    { timeoutMs: 90_000 },
  ).catch((error: unknown) => {
    throw new Error(`the end of the daemon's log:\n${daemon.output.slice(-3_000)}`, { cause: error });
  });
}
