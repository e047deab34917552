import type { Checkpoint } from '../../src/core/checkpoint.ts';
import { rawBytesCodec } from '../../src/core/codecs/binary.ts';
import type {
  ChangeStream,
  ConnectorDependencies,
  ResumeVerdict,
  SourceHealth,
  SourceSession,
} from '../../src/core/connector.ts';
import { FatalError, TailraceError } from '../../src/core/errors.ts';
import { repeat } from '../../src/core/repeat.ts';
import type { SchemaStore } from '../../src/core/schema-store.ts';
import type { ColumnCodec } from '../../src/core/table.ts';
import { waitForTurn } from '../../src/core/wait-for-turn.ts';
import { ChangeDecoder } from './change-decoder.ts';
import { changeStream } from './change-stream.ts';
import type { PostgresConfig } from './config.ts';
import { SqlConnection } from './connection.ts';
import { startHeartbeat } from './heartbeat.ts';
import type { PgPosition } from './positions.ts';
import { formatLsn, LSN_ZERO, type Lsn, lsnDistance, withoutPageHeader } from './protocol/lsn.ts';
import { PUBLICATION_CHECK_MS, PublicationSetup, publicationNames } from './publication-setup.ts';
import { RelationCache, streamPointKey } from './relation-cache.ts';
import { ReplicationConnection } from './replication-connection.ts';
import { assessResume, type ResumeFacts } from './resume.ts';
import { readHead, readServerFacts, type ServerFacts, serverIdentity } from './server-facts.ts';
import { dropSlot, readSlot } from './slot.ts';
import { createSlotPatiently } from './slot-creation.ts';
import { requireSlotOf } from './slot-owner.ts';
import { PgSourceBlock } from './source-block.ts';
import { isOutOfService } from './sql-state.ts';
import { readTimelineEnds } from './timeline-history.ts';
import { walHealth } from './wal-health.ts';

/** The end of the log may lie behind the header of a page that has no record yet. */
const PAGE_HEADER_BYTES = 64;

/** One attempt to run a Postgres source: a connection for the catalog, and one that owns the slot. */
export class PgSession implements SourceSession<PgPosition> {
  readonly sourceBlock: PgSourceBlock;
  readonly messageContent: ColumnCodec;
  readonly #config: PostgresConfig;
  readonly #dependencies: ConnectorDependencies;
  readonly #sql: SqlConnection;
  readonly #server: ServerFacts;
  readonly #publications: PublicationSetup;
  readonly #closed = new AbortController();
  #replication: ReplicationConnection | null = null;
  #claimFailure: unknown = null;
  #initialised = false;
  #headAtLastLook: Lsn = LSN_ZERO;
  #stream: ChangeStream<PgPosition> | null = null;

  private constructor(
    config: PostgresConfig,
    dependencies: ConnectorDependencies,
    sql: SqlConnection,
    server: ServerFacts,
  ) {
    this.#config = config;
    this.#dependencies = dependencies;
    this.#sql = sql;
    this.#server = server;
    this.#publications = new PublicationSetup(config, sql, server, dependencies.logger);
    this.sourceBlock = new PgSourceBlock(config.source.topicPrefix, config.connection.database);
    this.messageContent = rawBytesCodec(config.types);
  }

  static async open(
    config: PostgresConfig,
    dependencies: ConnectorDependencies,
    signal: AbortSignal,
  ): Promise<PgSession> {
    const sql = new SqlConnection(config.connection, `catalog ${config.source.name}`);
    try {
      return new PgSession(config, dependencies, sql, await readServerFacts(sql, signal));
    } catch (error) {
      await sql[Symbol.asyncDispose]();
      throw error;
    }
  }

  get serverIdentity(): string {
    return serverIdentity(this.#server);
  }

  /**
   * Owns the slot by streaming from it, paused: what arrives is kept back until `stream`, and nothing is confirmed.
   * Where there is no slot, or the server gave it up, there is nothing to own, and the verdict says so.
   */
  claim(signal: AbortSignal): Promise<void> {
    const { slot } = this.#config;
    return waitForTurn(
      this.#dependencies,
      'another process streams from this slot; waiting until it stops',
      async () => {
        const facts = await readSlot(this.#sql, slot.name, signal);
        const isOurs = facts?.plugin === 'pgoutput' && facts.database === this.#config.connection.database;
        if (facts === null || !isOurs || facts.walStatus === 'lost' || facts.invalidation !== null) return null;
        if (facts.activePid === null && (await this.#tryToClaim(signal))) return null;
        return { slot: slot.name, activePid: facts.activePid };
      },
      signal,
    );
  }

  /** @returns false where somebody else was faster. */
  async #tryToClaim(signal: AbortSignal): Promise<boolean> {
    try {
      await this.#startReplication(signal);
    } catch (error) {
      if (!(error instanceof TailraceError)) throw error;
      if (error.code === 'POSTGRES_SLOT_IN_USE') return false;
      // The verdict names the reason better than this error; where it does not, streaming fails with it.
      if (error.errorClass !== 'resync-required') throw error;
      this.#claimFailure = error;
    }
    return true;
  }

  async assessResume(checkpoint: Checkpoint | null): Promise<ResumeVerdict<PgPosition>> {
    const { connection, slot } = this.#config;
    const signal = this.#closed.signal;
    const timeline = Number(checkpoint?.serverIdentity.split(':')[1] ?? this.#server.timeline);
    const facts: ResumeFacts = {
      systemIdentifier: this.#server.systemIdentifier,
      timeline: this.#server.timeline,
      timelineEnds:
        timeline < this.#server.timeline ? await readTimelineEnds(connection, this.#server.timeline) : new Map(),
      database: connection.database,
      slotName: slot.name,
      slot: await readSlot(this.#sql, slot.name, signal),
      missingPublications: await this.#publications.missing(signal),
    };
    const verdict = assessResume(facts, checkpoint);
    if (verdict.kind === 'resume' && this.#claimFailure !== null) throw this.#claimFailure;
    return verdict;
  }

  /** Publication first: a slot decodes with the publications of the time of each change. */
  async initialise(_schemas: SchemaStore, signal: AbortSignal): Promise<PgPosition> {
    const { slot } = this.#config;
    await this.#releaseClaim();
    await dropSlot(this.#sql, slot.name, signal);
    await this.#publications.ensure(signal);
    const lsn = await createSlotPatiently(this.#sql, this.#config, this.#server, this.#dependencies.logger, signal);
    this.#dependencies.logger.info({ slot: slot.name, lsn: formatLsn(lsn) }, 'created the slot');
    await this.#startReplication(signal);
    this.#initialised = true;
    return { lsn, lastCommit: null, lastCommitTimeUs: this.#dependencies.clock.nowUs() };
  }

  async stream(from: PgPosition, schemas: SchemaStore, signal: AbortSignal): Promise<ChangeStream<PgPosition>> {
    const connection = this.#replication;
    if (connection === null || this.#stream !== null) {
      throw new FatalError('A stream was asked for without owning the slot.', {
        code: 'POSTGRES_NOT_CLAIMED',
        remedy: 'Report this: the calls of a session came in the wrong order.',
      });
    }
    const { logger } = this.#dependencies;
    const { source, connection: connectionConfig, types } = this.#config;
    const head = await readHead(this.#sql, signal);
    this.#headAtLastLook = head;
    const since = streamPointKey({ commit: from.lsn, own: from.lsn });
    await this.#publications.verify(schemas, since, this.#initialised, signal);
    const relations = new RelationCache({
      database: connectionConfig.database,
      source,
      modes: types,
      sql: this.#sql,
      schemas,
      logger,
      head,
    });
    connection.acknowledge(from.lsn);
    const stopHeartbeat = startHeartbeat(this.#sql, this.#server, source.name, source.heartbeatIntervalMs, logger);
    const stopChecks = repeat(PUBLICATION_CHECK_MS, (stop) => this.#checkPublications(schemas, connection, stop));
    this.#stream = changeStream({
      connection,
      relations,
      decoder: new ChangeDecoder(relations, from),
      close: async () => {
        await Promise.all([stopHeartbeat(), stopChecks()]);
        await connection[Symbol.asyncDispose]();
      },
    });
    return this.#stream;
  }

  async confirmOwnership(signal: AbortSignal): Promise<void> {
    const slot = this.#config.slot.name;
    requireSlotOf(this.#replication?.serverPid ?? null, await readSlot(this.#sql, slot, signal), slot);
  }

  async readHead(signal: AbortSignal): Promise<PgPosition> {
    return { lsn: withoutPageHeader(await readHead(this.#sql, signal)), lastCommit: null, lastCommitTimeUs: null };
  }

  async readHealth(signal: AbortSignal): Promise<SourceHealth> {
    try {
      return await this.#readHealth(signal);
    } catch (error) {
      if (isOutOfService(error)) await this.#replication?.release();
      throw error;
    }
  }

  async #readHealth(signal: AbortSignal): Promise<SourceHealth> {
    // Both of different looks: what was written between two of them may well be on its way.
    const unread = lsnDistance(this.#replication?.received ?? LSN_ZERO, this.#headAtLastLook);
    this.#headAtLastLook = await readHead(this.#sql, signal);
    const slot = await readSlot(this.#sql, this.#config.slot.name, signal);
    return walHealth(slot, this.#server, unread > PAGE_HEADER_BYTES);
  }

  /** A publication that is changed under the stream loses changes without a word; one that is not can break the application. */
  async #checkPublications(schemas: SchemaStore, connection: ReplicationConnection, stop: AbortSignal): Promise<void> {
    try {
      const point = connection.acknowledged;
      await this.#publications.verify(schemas, streamPointKey({ commit: point, own: point }), false, stop);
    } catch (error) {
      if (stop.aborted) return;
      const passes = error instanceof TailraceError && error.errorClass === 'transient';
      if (passes) this.#dependencies.logger.warn({ code: error.code }, 'the publications could not be checked');
      else connection.inbox.fail(error);
    }
  }

  async #startReplication(signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#dependencies;
    const timeoutMs = this.#server.walSenderTimeoutMs;
    const thirdOfTimeoutMs = timeoutMs > 0 ? Math.floor(timeoutMs / 3) : Number.POSITIVE_INFINITY;
    this.#replication = await ReplicationConnection.start(
      {
        connection: this.#config.connection,
        slot: this.#config.slot.name,
        publications: publicationNames(this.#config),
        server: this.#server,
        statusIntervalMs: Math.max(100, Math.min(this.#config.statusIntervalMs, thirdOfTimeoutMs)),
        silenceLimitMs: 2 * Math.max(timeoutMs, 60_000),
        clock,
        logger,
      },
      signal,
    );
  }

  async #releaseClaim(): Promise<void> {
    const replication = this.#replication;
    this.#replication = null;
    await replication?.[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort();
    await this.#stream?.[Symbol.asyncDispose]();
    await this.#releaseClaim();
    await this.#sql[Symbol.asyncDispose]();
  }
}
