import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { AvroDecoder } from '../support/avro-decoder.ts';
import { builtPackage } from '../support/built-package.ts';
import { Daemon } from '../support/daemon-process.ts';
import { awaitTopicEnds, deleteKafkaTopics } from '../support/kafka-topics.ts';
import { createPostgresDatabase } from '../support/postgres-database.ts';
import { readProcessMemory } from '../support/process-memory.ts';
import { kafkaBrokers } from '../support/services.ts';
import { awaitConfirmed } from '../support/slot-progress.ts';
import { readEachRecord } from '../support/topic-reader.ts';
import { uniqueName } from '../support/unique-name.ts';

const MIB = 1024 * 1024;
/** The promise, whatever the number and the size of the rows; about 97 MiB of it are the idle daemon. */
const LIMIT_BYTES = 200 * MIB;
const MEGABYTE = 1_000_000;

const ORDINARY_ROWS = `
CREATE TABLE public.huge (id bigint PRIMARY KEY, customer int NOT NULL, state text NOT NULL, note text,
  amount numeric(12,2) NOT NULL, paid boolean NOT NULL, weight float8, created_at timestamptz NOT NULL,
  token uuid NOT NULL, updated_at timestamp)`;
const INSERT_ORDINARY = `
INSERT INTO public.huge SELECT n, n % 1000, 'state ' || n % 7, repeat('note ', 12), n / 100.0, n % 2 = 0, n * 1.5,
  '2026-01-01Z'::timestamptz + n * interval '1 second', md5(n::text)::uuid, '2026-01-01'::timestamp FROM generate_series(1, $1::bigint) n`;

let packageMain: string;
before(() => {
  packageMain = builtPackage('huge-transaction-package');
});

interface Stage {
  readonly name: string;
  readonly daemon: Daemon;
  query(sql: string, values?: unknown[]): Promise<unknown>;
  confirmed(timeoutMs: number): Promise<void>;
}

async function withDaemon(sql: string, play: (stage: Stage) => Promise<void>): Promise<void> {
  const name = uniqueName('huge');
  await using database = await createPostgresDatabase({ prefix: 'huge', sql });
  await using daemon = await Daemon.create({
    main: packageMain,
    sources: [
      {
        name,
        type: 'postgres',
        url: database.url,
        tables: { include: ['public\\..*'] },
        snapshot: { mode: 'no_data' },
        slot: { name, publication: name },
      },
    ],
    config: {
      kafka: {
        brokers: kafkaBrokers(),
        topics: [{ match: '.*', partitions: 1, config: { 'max.message.bytes': '33554432' } }],
      },
    },
  });
  try {
    await daemon.start().streaming();
    await play({
      name,
      daemon,
      query: (text, values) => database.query(text, values),
      confirmed: (timeoutMs) => awaitConfirmed(database, name, timeoutMs),
    });
  } finally {
    await deleteKafkaTopics(name);
  }
}

function assertBounded(daemon: Daemon, limitBytes: number, what: string, report: (line: string) => void): void {
  const { peakResidentBytes } = readProcessMemory(daemon.pid);
  report(`${what}: at most ${Math.round(peakResidentBytes / MIB)} MiB resident`);
  assert.ok(peakResidentBytes <= limitBytes, `${what} took ${Math.round(peakResidentBytes / MIB)} MiB of memory`);
}

test('one transaction of a million rows streams in 200 MiB', { timeout: 600_000 }, async (context) => {
  const rows = 1_000_000;
  await withDaemon(ORDINARY_ROWS, async ({ name, daemon, query, confirmed }) => {
    context.diagnostic(`idle: ${Math.round(readProcessMemory(daemon.pid).residentBytes / MIB)} MiB resident`);
    await query(INSERT_ORDINARY, [rows]);
    await confirmed(240_000);
    assertBounded(daemon, LIMIT_BYTES, 'a million rows', (line) => context.diagnostic(line));
    await awaitTopicEnds(new Map([[`${name}.public.huge`, rows]]), 90_000);
  });
});

test('one transaction of ten rows of 20 MB streams in 200 MiB', { timeout: 600_000 }, async (context) => {
  const sql = 'CREATE TABLE public.huge (id int PRIMARY KEY, body bytea NOT NULL, body_text text)';
  await withDaemon(sql, async ({ name, daemon, query, confirmed }) => {
    // Random bytes do not compress: nothing becomes small on the way.
    await query(`INSERT INTO public.huge
      SELECT n, CASE WHEN n % 2 = 0 THEN random_bytes ELSE '' END,
             CASE WHEN n % 2 = 1 THEN encode(substr(random_bytes, 1, 10000000), 'hex') END
        FROM generate_series(1, 10) n,
             (SELECT string_agg(sha512(i::text::bytea), '') AS random_bytes FROM generate_series(1, 312500) i) pieces`);
    await confirmed(240_000);
    assertBounded(daemon, LIMIT_BYTES, 'ten rows of 20 MB', (line) => context.diagnostic(line));
    const decoder = new AvroDecoder();
    const sizes: Promise<[number, number]>[] = [];
    await readEachRecord([`${name}.public.huge`], (record) => {
      sizes.push(
        decoder.decode(record.value).then((value) => {
          const { after } = value as { after: { id: number; body: Buffer; body_text: string | null } };
          return [after.id, after.body.length + (after.body_text?.length ?? 0)] as [number, number];
        }),
      );
    });
    assert.deepEqual(
      await Promise.all(sizes),
      Array.from({ length: 10 }, (_, i) => [i + 1, 20 * MEGABYTE]),
    );
  });
});
