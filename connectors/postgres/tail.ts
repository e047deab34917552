import type { ChangeStream, ConnectorDependencies, TailTarget } from '../../src/core/connector.ts';
import { TailraceError, TransientError } from '../../src/core/errors.ts';
import { MemorySchemaStore } from '../../src/core/memory-schema-store.ts';
import { repeat } from '../../src/core/repeat.ts';
import { ChangeDecoder } from './change-decoder.ts';
import { changeStream } from './change-stream.ts';
import type { PostgresConfig } from './config.ts';
import { SqlConnection } from './connection.ts';
import type { PgPosition } from './positions.ts';
import { readPreflightFacts } from './preflight-facts.ts';
import { LSN_ZERO } from './protocol/lsn.ts';
import { PUBLICATION_CHECK_MS, PublicationSetup, publicationNames } from './publication-setup.ts';
import { RelationCache } from './relation-cache.ts';
import { ReplicationConnection } from './replication-connection.ts';
import { readHead, type ServerFacts } from './server-facts.ts';
import { requireTailable } from './tail-checks.ts';
import { tailConfig } from './tail-config.ts';
import { dropLeftovers, nameTail, TAIL_PURPOSE } from './tail-publication.ts';

/** A table that somebody alters holds a lock that the publication waits for: not for ever. */
const LOCK_TIMEOUT = '10s';
const SET_UP_DEADLINE_MS = 60_000;
const TIDY_DEADLINE_MS = 15_000;
const STATUS_INTERVAL_MS = 10_000;

/**
 * Changes from now on, on a temporary slot. pgoutput cannot do without publications, so there are two of a recognisable
 * name until the stream is disposed; those of tails that were killed are dropped by the next.
 * @throws ConfigurationError where the role may not do what a tail needs.
 */
export async function openTail(
  target: TailTarget,
  dependencies: ConnectorDependencies,
  signal: AbortSignal,
): Promise<ChangeStream<PgPosition>> {
  const { connection } = tailConfig(target, 'tail');
  const sql = new SqlConnection(connection, TAIL_PURPOSE);
  try {
    const config = tailConfig(target, await nameTail(sql, signal));
    const facts = await readPreflightFacts(config, sql, signal);
    requireTailable(facts, config);
    const publications = new PublicationSetup(config, sql, facts.server, dependencies.logger);
    try {
      await setUp(sql, publications, dependencies, signal);
      return await startStream(config, sql, facts.server, publications, dependencies, signal);
    } catch (error) {
      await tidy(config, publications, dependencies);
      throw error;
    }
  } catch (error) {
    await sql[Symbol.asyncDispose]();
    throw error;
  }
}

/** Carried through once begun: a statement that was sent and not waited for could leave a publication for good. */
async function setUp(
  sql: SqlConnection,
  publications: PublicationSetup,
  { logger }: ConnectorDependencies,
  signal: AbortSignal,
): Promise<void> {
  const deadline = AbortSignal.timeout(SET_UP_DEADLINE_MS);
  const lockTimeout = `SELECT pg_catalog.set_config('lock_timeout', $1, false)`;
  await sql.query('setting the lock timeout', lockTimeout, [LOCK_TIMEOUT], deadline);
  const left = await dropLeftovers(sql, deadline);
  if (left.length > 0) logger.info({ publications: left }, 'dropped what an ended tail had left');
  await publications.ensure(deadline);
  signal.throwIfAborted();
}

async function startStream(
  config: PostgresConfig,
  sql: SqlConnection,
  server: ServerFacts,
  publications: PublicationSetup,
  dependencies: ConnectorDependencies,
  signal: AbortSignal,
): Promise<ChangeStream<PgPosition>> {
  const head = await readHead(sql, signal);
  const connection = await connect(config, server, dependencies, signal);
  const relations = new RelationCache({
    database: config.connection.database,
    source: config.source,
    modes: config.types,
    sql,
    schemas: new MemorySchemaStore(),
    logger: dependencies.logger,
    head,
  });
  const stopLooking = repeat(PUBLICATION_CHECK_MS, async (stop) => {
    try {
      // Not cut short by `stop`: see setUp.
      await publications.follow(AbortSignal.timeout(TIDY_DEADLINE_MS));
    } catch (error) {
      const passes = error instanceof TailraceError && error.errorClass === 'transient';
      if (!stop.aborted && !passes) connection.inbox.fail(error);
    }
  });
  return changeStream({
    connection,
    relations,
    decoder: new ChangeDecoder(relations, { lsn: LSN_ZERO, lastCommit: null, lastCommitTimeUs: null }),
    close: async () => {
      await stopLooking();
      await connection[Symbol.asyncDispose]();
      await tidy(config, publications, dependencies);
      await sql[Symbol.asyncDispose]();
    },
  });
}

async function connect(
  config: PostgresConfig,
  server: ServerFacts,
  { clock, logger }: ConnectorDependencies,
  signal: AbortSignal,
): Promise<ReplicationConnection> {
  const timeoutMs = server.walSenderTimeoutMs;
  const options = {
    connection: config.connection,
    slot: config.slot.name,
    temporarySlot: true,
    publications: publicationNames(config),
    server,
    statusIntervalMs: timeoutMs > 0 ? Math.max(100, Math.min(STATUS_INTERVAL_MS, timeoutMs / 3)) : STATUS_INTERVAL_MS,
    silenceLimitMs: 2 * Math.max(timeoutMs, 60_000),
    clock,
    logger,
  };
  try {
    return await ReplicationConnection.start(options, signal);
  } catch (error) {
    if (!(error instanceof TailraceError) || error.code !== 'POSTGRES_SILENT') throw error;
    throw new TransientError(
      `Postgres did not create a slot within ${config.connection.queryTimeoutMs} ms: it waits for every transaction that runs.`,
      {
        code: 'POSTGRES_SLOT_WAITS',
        remedy: 'Look for old transactions in pg_stat_activity (also prepared ones), end them, and try again.',
        cause: error,
      },
    );
  }
}

/** Reports what it cannot drop instead of failing: whatever ended the tail is the better news. */
async function tidy(
  config: PostgresConfig,
  publications: PublicationSetup,
  { logger }: ConnectorDependencies,
): Promise<void> {
  try {
    await publications.drop(AbortSignal.timeout(TIDY_DEADLINE_MS));
  } catch (error) {
    const names = publicationNames(config);
    const code = error instanceof TailraceError ? error.code : 'UNEXPECTED';
    logger.warn(
      { publications: names, code },
      'could not drop the publications of this tail; the next tail drops them',
    );
  }
}
