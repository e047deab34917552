import { connector } from '../../../connectors/postgres/index.ts';
import type { PgChangeBatch } from '../../../connectors/postgres/pg-change-batch.ts';
import type { PgPosition } from '../../../connectors/postgres/positions.ts';
import type { PgSession } from '../../../connectors/postgres/session.ts';
import { ChangeKind } from '../../../src/core/change-batch.ts';
import type { Checkpoint } from '../../../src/core/checkpoint.ts';
import type { ChangeStream, ConnectorDependencies, SourceSession } from '../../../src/core/connector.ts';
import type { Logger } from '../../../src/core/logger.ts';
import type { SchemaStore, StoredVersion } from '../../../src/core/schema-store.ts';
import type { SourceSettings } from '../../../src/core/settings.ts';
import { RowCells } from '../../../src/core/table.ts';
import type { PostgresDatabase } from '../../support/postgres-database.ts';

/** A change as tests look at it: texts of the columns, by name. */
export interface SeenChange {
  readonly kind: keyof typeof ChangeKind;
  readonly table: string | null;
  readonly before: Readonly<Record<string, string | null>> | null;
  readonly after: Readonly<Record<string, string | null>> | null;
  readonly resumeAt: PgPosition | null;
  readonly transaction: string | null;
  readonly fingerprint: string | null;
  readonly receivedAtMs: number;
}

export class MemorySchemaStore implements SchemaStore {
  readonly entries = new Map<string, StoredVersion[]>();

  versions(relation: string): readonly StoredVersion[] {
    return this.entries.get(relation) ?? [];
  }

  async add(relation: string, version: StoredVersion): Promise<void> {
    this.entries.set(relation, [...this.versions(relation), version]);
  }
}

export interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** A source on a database of a test: what a pipeline would do, by hand. */
export class SourceUnderTest {
  readonly config;
  readonly schemas = new MemorySchemaStore();
  readonly log: LogLine[] = [];
  readonly slot: string;
  readonly publication: string;
  readonly dependencies: ConnectorDependencies;
  readonly signal = new AbortController().signal;

  constructor(
    database: PostgresDatabase,
    connectorSettings: Record<string, unknown> = {},
    settings: Partial<SourceSettings> = {},
  ) {
    this.slot = `s_${database.name}`.slice(0, 63);
    this.publication = `p_${database.name}`.slice(0, 51);
    const { slot, ...others } = connectorSettings;
    const parsed = connector.parseConfig({
      name: database.name,
      type: 'postgres',
      topicPrefix: 'test',
      tables: { include: [], exclude: [] },
      signals: { table: null, topic: null },
      heartbeatIntervalMs: 0,
      unavailablePlaceholder: '__debezium_unavailable_value',
      ...settings,
      connector: {
        url: database.url,
        slot: { name: this.slot, publication: this.publication, ...(slot as object | undefined) },
        ...others,
      },
    } as unknown as SourceSettings);
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
    this.config = parsed.value;
    const logger: Logger = {
      child: () => logger,
      debug: () => undefined,
      info: (fields, message) => this.log.push({ level: 'info', fields, message }),
      warn: (fields, message) => this.log.push({ level: 'warn', fields, message }),
      error: (fields, message) => this.log.push({ level: 'error', fields, message }),
    };
    this.dependencies = {
      logger,
      metrics: undefined as never,
      clock: {
        nowMs: () => Date.now(),
        nowUs: () => Date.now() * 1000,
        sleep: (ms, signal) =>
          new Promise((resolve, reject) => {
            signal.addEventListener('abort', () => reject(signal.reason), { once: true });
            setTimeout(resolve, ms);
          }),
      },
    };
  }

  open(): Promise<SourceSession<PgPosition>> {
    return connector.open(this.config, this.dependencies, this.signal);
  }

  checkpoint(session: SourceSession<PgPosition>, position: PgPosition): Checkpoint {
    return {
      formatVersion: 1,
      source: this.config.source.name,
      phase: 'streaming',
      serverIdentity: session.serverIdentity,
      position: connector.positions.encode(position),
      savedAtMs: Date.now(),
    };
  }

  /** A new slot and its stream. */
  async startFresh(): Promise<RunningSource> {
    const session = await this.open();
    await session.claim(this.signal);
    const verdict = await session.assessResume(null);
    if (verdict.kind !== 'fresh') throw new Error(`expected fresh, got ${JSON.stringify(verdict)}`);
    const from = await session.initialise(this.schemas, this.signal);
    return new RunningSource(session as PgSession, await session.stream(from, this.schemas, this.signal), from);
  }

  /** What a restarted daemon does. Throws the verdict's code where it may not go on. */
  async resume(position: PgPosition): Promise<RunningSource> {
    const session = await this.open();
    try {
      await session.claim(this.signal);
      const verdict = await session.assessResume(this.checkpoint(session, position));
      if (verdict.kind === 'resync-required') throw new Error(verdict.code);
      if (verdict.kind === 'fresh') throw new Error('fresh');
      return new RunningSource(
        session as PgSession,
        await session.stream(verdict.from, this.schemas, this.signal),
        position,
      );
    } catch (error) {
      await session[Symbol.asyncDispose]();
      throw error;
    }
  }
}

export class RunningSource implements AsyncDisposable {
  readonly session: PgSession;
  readonly stream: ChangeStream<PgPosition>;
  readonly from: PgPosition;
  readonly #iterator: AsyncIterator<PgChangeBatch, void>;
  #transaction: string | null = null;

  constructor(session: PgSession, stream: ChangeStream<PgPosition>, from: PgPosition) {
    this.session = session;
    this.stream = stream;
    this.from = from;
    this.#iterator = stream[Symbol.asyncIterator]() as AsyncIterator<PgChangeBatch, void>;
  }

  /** Reads changes until one fulfils `isLast`; fails after `timeoutMs`. */
  async readUntil(isLast: (change: SeenChange) => boolean, timeoutMs = 15_000): Promise<SeenChange[]> {
    const seen: SeenChange[] = [];
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => late.reject(new Error(`saw only ${JSON.stringify(seen.slice(-20))}`)), timeoutMs);
    try {
      for (;;) {
        const { value: batch, done } = await Promise.race([this.#iterator.next(), late.promise]);
        if (done === true) throw new Error('the stream ended');
        for (let index = 0; index < batch.count; index++) seen.push(this.#see(batch, index));
        batch.release();
        if (seen.some(isLast)) return seen;
      }
    } finally {
      clearTimeout(timer);
    }
  }

  /** Reads up to and including the commit that follows a row with this text in the column `v`. */
  async readUntilValue(value: string): Promise<SeenChange[]> {
    let found = false;
    return this.readUntil((change) => {
      found ||= change.after?.v === value;
      return found && change.kind === 'commit';
    });
  }

  next() {
    return this.#iterator.next();
  }

  #see(batch: PgChangeBatch, index: number): SeenChange {
    const kind = Object.entries(ChangeKind).find(([, value]) => value === batch.kinds[index])?.[0];
    const version = batch.versions[index] ?? null;
    const detail = batch.details[index] ?? null;
    if (detail !== null && 'id' in detail) this.#transaction = detail.id;
    const image = (which: 'before' | 'after') => {
      if (version === null) return null;
      const cells = new RowCells();
      cells.reserve(version.columns.length);
      version.locate(batch, index, which, cells);
      return Object.fromEntries(
        version.columns.map(({ name }, column): [string, string | null] => {
          const start = cells.starts[column] as number;
          if (start < 0) return [name, ['null', 'unavailable', 'absent'][-1 - start] ?? null];
          return [name, batch.bytes.toString('utf8', start, cells.ends[column])];
        }),
      );
    };
    return {
      kind: kind as keyof typeof ChangeKind,
      table: version?.id.name ?? null,
      before: batch.hasBefore[index] === 1 ? image('before') : null,
      after: kind === 'delete' ? null : image('after'),
      resumeAt: detail !== null && 'resumeAt' in detail ? detail.resumeAt : null,
      transaction: kind === 'heartbeat' ? null : this.#transaction,
      fingerprint: version?.fingerprint ?? null,
      receivedAtMs: batch.receivedAtMs,
    };
  }

  /** A graceful stop: the last acknowledgement reaches the server. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stream[Symbol.asyncDispose]();
    await this.session[Symbol.asyncDispose]();
  }
}

/** Where the last transaction or heartbeat among the changes ends. */
export function lastPosition(changes: readonly SeenChange[]): PgPosition {
  const position = changes.findLast((change) => change.resumeAt !== null)?.resumeAt;
  if (position === null || position === undefined) throw new Error('no commit among the changes');
  return position;
}

/** Texts of the column `v` of inserted rows. */
export function insertedValues(changes: readonly SeenChange[]): (string | null)[] {
  return changes.filter((change) => change.kind === 'insert').map((change) => change.after?.v ?? null);
}
