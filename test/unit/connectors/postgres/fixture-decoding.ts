import { readFileSync } from 'node:fs';
import { ChangeDecoder } from '../../../../connectors/postgres/change-decoder.ts';
import type { SqlConnection } from '../../../../connectors/postgres/connection.ts';
import { PgChangeBatch } from '../../../../connectors/postgres/pg-change-batch.ts';
import type { PgPosition } from '../../../../connectors/postgres/positions.ts';
import { parseLsn } from '../../../../connectors/postgres/protocol/lsn.ts';
import { RelationCache } from '../../../../connectors/postgres/relation-cache.ts';
import type { Logger } from '../../../../src/core/logger.ts';
import { ArenaPool, type MessageArena } from '../../../../src/core/message-arena.ts';
import type { SchemaStore, StoredVersion } from '../../../../src/core/schema-store.ts';
import type { SourceSettings } from '../../../../src/core/settings.ts';

/** A message with the LSN of its frame. */
export interface RecordedMessage {
  readonly lsn: string;
  readonly bytes: Buffer;
}

/** What PostgreSQL 17 sent for the statements of `record.ts`. */
export function recordedMessages(): RecordedMessage[] {
  const file = new URL('../../../fixtures/pgoutput/changes.json', import.meta.url);
  const rows = JSON.parse(readFileSync(file, 'utf8')) as [string, string][];
  return rows.map(([lsn, hex]) => ({ lsn, bytes: Buffer.from(hex, 'hex') }));
}

/** Answers the catalog's questions from a table of columns and keys by relation OID. */
export interface FakeTable {
  columns: Record<string, { notNull?: boolean; default?: string }>;
  primaryKey?: string[];
  identityIndex?: string[];
  unique?: string[][];
}

const TYPE_NAMES: Record<number, string> = { 23: 'int4', 25: 'text' };

/** @param asked counts the questions about columns. */
export function fakeCatalog(tables: Record<number, FakeTable>, asked: number[] = []): SqlConnection {
  const query = async (doing: string, _sql: string, [argument]: readonly unknown[]): Promise<unknown[]> => {
    switch (doing) {
      case 'reading the columns of a table':
        asked.push(...(argument as number[]));
        return (argument as number[]).flatMap((relation) =>
          Object.entries(tables[relation]?.columns ?? {}).map(([name, column]) => ({
            relation,
            name,
            not_null: column.notNull ?? false,
            default_expression: column.default ?? null,
          })),
        );
      case 'reading the indexes of a table':
        return (argument as number[]).flatMap((relation) => {
          const table = tables[relation];
          const row = (columns: string[] | undefined, more: object) =>
            columns === undefined
              ? []
              : [{ relation, is_primary: false, is_identity: false, is_plain_unique: false, columns, ...more }];
          return [
            ...row(table?.primaryKey, { is_primary: true, is_plain_unique: true }),
            ...row(table?.identityIndex, { is_identity: true, is_plain_unique: true }),
            ...(table?.unique ?? []).flatMap((columns) => row(columns, { is_plain_unique: true })),
          ];
        });
      case 'reading types':
        // No type has the OID 0: it stands for none.
        return (argument as number[]).filter(Boolean).map((oid) => ({
          oid,
          schema: TYPE_NAMES[oid] === undefined ? 'public' : 'pg_catalog',
          name: TYPE_NAMES[oid] ?? 'mood',
          type: TYPE_NAMES[oid] === undefined ? 'e' : 'b',
          element: 0,
          base: 0,
          base_typmod: -1,
          labels: TYPE_NAMES[oid] === undefined ? ['sad', 'ok'] : null,
        }));
      default:
        throw new Error(`the fake catalog was asked for ${doing}`);
    }
  };
  return { query } as unknown as SqlConnection;
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

export const silentLogger: Logger = {
  child: () => silentLogger,
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

export interface DecodingOptions {
  readonly catalog: SqlConnection;
  readonly schemas?: SchemaStore;
  readonly from?: PgPosition;
  /** LSN text; the log's end at the start of the stream. */
  readonly head?: string;
  readonly source?: Partial<SourceSettings>;
}

export const FROM_START: PgPosition = { lsn: { high: 0, low: 0 }, lastCommit: null, lastCommitTimeUs: null };

/** Decodes messages as the stream does, in arenas of `perArena` messages; gives every batch to `visit`. */
export async function decodeAll(
  messages: readonly (RecordedMessage | { readonly keepalive: string })[],
  options: DecodingOptions,
  visit: (batch: PgChangeBatch) => void,
  perArena = Number.POSITIVE_INFINITY,
): Promise<void> {
  const pool = new ArenaPool();
  const relations = new RelationCache({
    database: 'shop',
    source: {
      tables: { include: [], exclude: [] },
      signals: { table: null, topic: null },
      ...options.source,
    } as unknown as SourceSettings,
    modes: {
      decimal: 'precise',
      time: 'adaptive',
      binary: 'bytes',
      interval: 'numeric',
      hstore: 'json',
      unknown: 'skip',
      moneyFractionDigits: 2,
      unavailablePlaceholder: '__debezium_unavailable_value',
    },
    sql: options.catalog,
    schemas: options.schemas ?? new MemorySchemaStore(),
    logger: silentLogger,
    head: parseLsn(options.head ?? '0/0') ?? { high: 0, low: 0 },
  });
  const decoder = new ChangeDecoder(relations, options.from ?? FROM_START);
  const signal = new AbortController().signal;
  const decodeArena = async (arena: MessageArena) => {
    let next = 0;
    while (next < arena.count) {
      const batch = new PgChangeBatch(pool, () => undefined);
      batch.open(arena);
      next = decoder.decode(arena, next, batch);
      visit(batch);
      if (decoder.needed !== null) await relations.resolve(decoder.needed.relation, decoder.needed.point, signal);
    }
  };
  let arena = pool.take(1_000_000);
  for (const message of messages) {
    if (arena.count >= perArena) {
      await decodeArena(arena);
      arena = pool.take(1_000_000);
    }
    if ('keepalive' in message) {
      const lsn = parseLsn(message.keepalive) ?? { high: 0, low: 0 };
      arena.addKeepalive(lsn.high, lsn.low);
    } else {
      const lsn = parseLsn(message.lsn) ?? { high: 0, low: 0 };
      arena.addMessage(message.bytes, 0, message.bytes.length, lsn.high, lsn.low);
    }
  }
  await decodeArena(arena);
}
