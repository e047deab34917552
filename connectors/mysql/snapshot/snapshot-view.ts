import type { ChangeBatch } from '../../../src/core/change-batch.ts';
import { FatalError } from '../../../src/core/errors.ts';
import { ArenaPool } from '../../../src/core/message-arena.ts';
import type { BlankBatch, Chunk, ChunkEnd, SnapshotTable, SnapshotView } from '../../../src/core/snapshot.ts';
import { qualifiedName } from '../../../src/core/table.ts';
import type { MySqlPosition } from '../positions.ts';
import { quotedTable } from '../quoted-name.ts';
import { MySqlReadBatch, type ReadPlace } from './read-batch.ts';
import { readChunk } from './read-chunk.ts';
import type { ReadTable } from './read-table.ts';
import type { ReaderConnection } from './reader-connection.ts';
import type { RowSource } from './row-source.ts';
import type { TableDefinitionReader } from './table-definition.ts';
import type { ViewBounds } from './view-bounds.ts';

export interface SnapshotViewParts {
  readonly connections: readonly ReaderConnection[];
  readonly bounds: ViewBounds;
  readonly place: ReadPlace;
  readonly definitions: TableDefinitionReader;
  readonly cancel: (connection: ReaderConnection, rows: RowSource) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** Consistent reads on several connections at once. */
export class MySqlSnapshotView implements SnapshotView<MySqlPosition> {
  readonly #parts: SnapshotViewParts;
  /** Of this view: a table that one of its transactions has used is not altered before that ends. */
  readonly #tables = new Map<string, Promise<ReadTable>>();
  readonly #opened = new Set<string>();

  constructor(parts: SnapshotViewParts) {
    this.#parts = parts;
  }

  get mark(): string {
    return this.#parts.bounds.toString();
  }

  contains(batch: ChangeBatch<MySqlPosition>, index: number): boolean {
    return this.#parts.bounds.contains(batch, index);
  }

  isPassed(position: MySqlPosition): boolean {
    return this.#parts.bounds.isPassed(position);
  }

  async blank(table: SnapshotTable, signal: AbortSignal): Promise<BlankBatch<MySqlPosition>> {
    const { version } = await this.#tableOf(table, this.#parts.connections[0]!, 0, signal);
    const batch = new MySqlReadBatch(new ArenaPool(), () => {});
    batch.addRow(version, 0, 0);
    batch.place = this.#parts.place;
    return batch;
  }

  async *read(
    chunk: Chunk,
    reader: number,
    signal: AbortSignal,
  ): AsyncGenerator<ChangeBatch<MySqlPosition>, ChunkEnd, void> {
    const { connections, place, cancel } = this.#parts;
    const connection = connections[reader];
    if (connection === undefined) {
      throw new FatalError(`Reader ${reader} was asked for of a view with ${connections.length}.`, {
        code: 'MYSQL_SNAPSHOT_READER',
        remedy: 'Report this.',
      });
    }
    const table = await this.#tableOf(chunk.table, connection, reader, signal);
    return yield* readChunk({ connection, table, chunk, place, cancel: (rows) => cancel(connection, rows) }, signal);
  }

  async #tableOf(
    table: SnapshotTable,
    connection: ReaderConnection,
    reader: number,
    signal: AbortSignal,
  ): Promise<ReadTable> {
    const name = qualifiedName(table.id);
    if (!this.#opened.has(`${reader} ${name}`)) {
      await connection.query(`opening ${name}`, `SELECT 1 FROM ${quotedTable(table.id)} LIMIT 0`, signal);
      this.#opened.add(`${reader} ${name}`);
    }
    let read = this.#tables.get(name);
    if (read === undefined) {
      read = this.#parts.definitions.read(table, signal);
      this.#tables.set(name, read);
    }
    return read;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#parts.close();
  }
}
