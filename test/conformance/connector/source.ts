import type { Checkpoint } from '../../../src/core/checkpoint.ts';
import type { ConnectorConfig, ConnectorDependencies, SourceSession } from '../../../src/core/connector.ts';
import { tailSettings } from '../../../src/core/live-tail.ts';
import type { Logger } from '../../../src/core/logger.ts';
import { MemorySchemaStore } from '../../../src/core/memory-schema-store.ts';
import { Secret } from '../../../src/core/secret.ts';
import type { SourceSettings } from '../../../src/core/settings.ts';
import { SystemClock } from '../../../src/observability/system-clock.ts';
import { uniqueName } from '../../support/unique-name.ts';
import type { ConformanceDatabase, ConformanceServer } from './conformance-database.ts';
import { Reader } from './reader.ts';

export interface LogLine {
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** A source of one database: what a pipeline does with a connector, by hand. */
export class Source {
  readonly name: string;
  readonly config: ConnectorConfig;
  readonly schemas = new MemorySchemaStore();
  readonly warnings: LogLine[] = [];
  readonly dependencies: ConnectorDependencies;
  readonly signal = new AbortController().signal;
  readonly #server: ConformanceServer;

  /** Two sources of one name are the same source in two processes. `more` are connector settings beside the database's. */
  constructor(
    server: ConformanceServer,
    database: ConformanceDatabase,
    { name = uniqueName('conf'), more = {} }: { name?: string; more?: Readonly<Record<string, unknown>> } = {},
  ) {
    this.#server = server;
    this.name = name;
    const settings = sourceSettings(server, name, { ...database.settings(name), ...more }, database);
    const parsed = server.connector.parseConfig(settings);
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
    this.config = parsed.value;
    const logger: Logger = {
      child: () => logger,
      debug: () => undefined,
      info: () => undefined,
      warn: (fields, message) => this.warnings.push({ fields, message }),
      error: (fields, message) => this.warnings.push({ fields, message }),
    };
    this.dependencies = { logger, metrics: undefined as never, clock: new SystemClock() };
  }

  open(): Promise<SourceSession<unknown>> {
    return this.#server.connector.open(this.config, this.dependencies, this.signal);
  }

  /** What a daemon without checkpoint does. */
  async startFresh(): Promise<Reader> {
    return this.#start(null);
  }

  /** What a daemon does that finds a checkpoint. @throws ResyncRequired where the verdict is that. */
  async resume(position: string): Promise<Reader> {
    return this.#start(position);
  }

  checkpoint(session: SourceSession<unknown>, position: string | null): Checkpoint {
    return {
      formatVersion: 1,
      source: this.name,
      phase: position === null ? 'initialising' : 'streaming',
      serverIdentity: session.serverIdentity,
      position,
      savedAtMs: Date.now(),
    };
  }

  async #start(position: string | null): Promise<Reader> {
    const { positions } = this.#server.connector;
    const session = await this.open();
    try {
      await session.claim(this.signal);
      const verdict = await session.assessResume(position === null ? null : this.checkpoint(session, position));
      if (verdict.kind === 'resync-required') throw new ResyncRequired(verdict.code, verdict.reason, verdict.remedy);
      const expected = position === null ? 'fresh' : 'resume';
      if (verdict.kind !== expected) throw new Error(`the verdict is ${verdict.kind}, not ${expected}`);
      const from = verdict.kind === 'fresh' ? await session.initialise(this.schemas, this.signal) : verdict.from;
      const stream = await session.stream(from, this.schemas, this.signal);
      return new Reader(session, stream, positions.encode(from), (at) => positions.encode(at));
    } catch (error) {
      await session[Symbol.asyncDispose]();
      throw error;
    }
  }
}

/** The verdict as an error. */
export class ResyncRequired extends Error {
  readonly errorClass = 'resync-required';
  readonly code: string;
  readonly remedy: string;

  constructor(code: string, reason: string, remedy: string) {
    super(reason);
    this.code = code;
    this.remedy = remedy;
  }
}

/** A source with these settings of its connector, for the tables of the database but for `uncaptured`. */
export function sourceSettings(
  { connector: { type } }: ConformanceServer,
  name: string,
  connector: Readonly<Record<string, unknown>>,
  database?: ConformanceDatabase,
): SourceSettings {
  const pattern = (table: string) => new RegExp(`^${database?.qualified(table).replace('.', '\\.')}$`);
  const include = database === undefined ? [] : [pattern('.*')];
  return {
    ...tailSettings(type, name, { url: new Secret(''), tables: include }, {}),
    topicPrefix: name,
    tables: { include, exclude: database === undefined ? [] : [pattern('uncaptured')] },
    unavailablePlaceholder: '__debezium_unavailable_value',
    connector,
  };
}
