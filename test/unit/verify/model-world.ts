import assert from 'node:assert/strict';
import avsc from 'avsc';
import type { ChangeBatch } from '../../../src/core/change-batch.ts';
import type { ConnectStruct } from '../../../src/core/connect-schema.ts';
import type { SnapshotReader, SnapshotTable, SnapshotView } from '../../../src/core/snapshot.ts';
import { toleratedTexts } from '../../../src/verify/tolerated-texts.ts';
import type { TopicRecord, TopicSource } from '../../../src/verify/topic-source.ts';
import type { VerifyDependencies } from '../../../src/verify/verify-dependencies.ts';
import type { ExactJson, ExactNumber } from '../../support/exact-json.ts';
import { parseExactJson } from '../../support/exact-json.ts';
import { type Row, tableShape } from '../avro/recorded-table.ts';
import { batchOf, encoderOf, withPlaceholder } from './recorded-rows.ts';

/** A row is put or deleted. `v` null: deleted. */
export interface WorldChange {
  readonly id: number;
  readonly v: number | null;
  /** Never reaches the topic. */
  readonly isLost?: boolean;
}

const ROW_FIELDS = [
  { name: 'id', type: 'int' },
  { name: 'v', type: ['null', 'string'], default: null },
] as const;
const ENVELOPE_SCHEMA = {
  type: 'record',
  name: 'Envelope',
  namespace: 'p.s.t',
  fields: [
    { name: 'before', type: ['null', { type: 'record', name: 'Value', fields: ROW_FIELDS }], default: null },
    { name: 'after', type: ['null', 'Value'], default: null },
    { name: 'source', type: { type: 'record', name: 'Source', fields: [{ name: 'at', type: 'long' }] } },
    { name: 'op', type: 'string' },
  ],
} as const;
const KEY_SCHEMA = {
  type: 'record',
  name: 'Key',
  namespace: 'p.s.t',
  fields: [{ name: 'id', type: 'int' }],
} as const;
const ENVELOPE = avsc.Type.forSchema(ENVELOPE_SCHEMA as unknown as avsc.Schema, { wrapUnions: 'never' });
const KEY = avsc.Type.forSchema(KEY_SCHEMA as unknown as avsc.Schema);

const VALUE: ConnectStruct = {
  type: 'struct',
  name: 'p.s.t.Value',
  fields: [
    { name: 'id', schema: { type: 'int32' }, optional: false },
    { name: 'v', schema: { type: 'string' }, optional: true },
  ],
};
const shape = tableShape(
  { type: 'struct', name: 'p.s.t.Key', fields: [VALUE.fields[0]!] },
  { type: 'struct', name: 'p.s.t.Envelope', fields: [{ name: 'before', schema: VALUE, optional: true }] },
);
const SHAPE = {
  ...shape,
  version: {
    ...shape.version,
    locate: (batch: ChangeBatch<unknown>, _index: number, _image: string, cells: never) =>
      (batch as unknown as { fill(into: never): void }).fill(cells),
  },
  value: shape.value.map(({ index, column }) => ({
    index,
    column: { ...column, codec: withPlaceholder(column.codec) },
  })),
};

const TABLE: SnapshotTable = {
  id: { database: 'd', schema: 's', name: 't' },
  key: ['id'],
  estimatedRows: null,
};

/** Whether the filter of the world lets a row pass. */
export function isInside(id: number): boolean {
  return id % 3 === 0;
}

/**
 * A table, its log and its topic, of which each goes on by itself whenever it is looked at: changes are committed, and
 * published some time later, in order.
 */
export class ModelWorld {
  readonly table = TABLE;
  readonly #log: readonly WorldChange[];
  readonly #next: () => number;
  readonly #partitions: TopicRecord[][] = [[], []];
  #committed: number;
  #published = 0;
  readonly hasCheckpoint: boolean;
  /** What a snapshot has read of the table: rows whose number can be divided by three. */
  filter: string | null = null;

  /** @param next how far the world goes at each look */
  constructor(log: readonly WorldChange[], committed: number, next: () => number, hasCheckpoint: boolean) {
    this.#log = log;
    this.#committed = committed;
    this.#next = next;
    this.hasCheckpoint = hasCheckpoint;
  }

  dependencies(memoryBytes: number): VerifyDependencies {
    return {
      reader: this.#reader(),
      topics: this.#topics(),
      schemaById: async (id) => ({ type: 'AVRO', text: JSON.stringify(id === 1 ? KEY_SCHEMA : ENVELOPE_SCHEMA) }),
      clock: { nowMs: () => 0, nowUs: () => 0, sleep: async () => this.#goOn() },
      topicOf: () => 'p.s.t',
      filterOf: () => this.filter,
      publishedUpTo: async () =>
        this.hasCheckpoint ? { text: String(this.#published), position: this.#published } : null,
      createEncoder: () => encoderOf(SHAPE),
      texts: toleratedTexts(null),
      tolerate: null,
      memoryBytes,
      listedKeys: 1_000,
      patienceMs: this.hasCheckpoint ? 60_000 : 2,
      patienceAgainMs: this.hasCheckpoint ? 60_000 : 2,
      notice: () => {},
      progress: () => {},
    };
  }

  #goOn(): void {
    this.#committed = Math.min(this.#log.length, this.#committed + this.#next());
    const until = Math.min(this.#committed, this.#published + this.#next());
    for (; this.#published < until; this.#published++) this.#publish(this.#log[this.#published]!);
  }

  #publish({ id, v, isLost }: WorldChange): void {
    if (isLost) return;
    const partition = this.#partitions[id % 2]!;
    const row = { id, v: `${v}` };
    const value = {
      before: v === null ? row : null,
      after: v === null ? null : row,
      source: { at: 0 },
      op: v === null ? 'd' : 'u',
    };
    partition.push({
      offset: partition.length,
      timestampMs: this.#published,
      key: framed(1, KEY.toBuffer({ id })),
      value: framed(2, ENVELOPE.toBuffer(value)),
      headers: null,
    });
  }

  #rows(): Map<number, number> {
    const rows = new Map<number, number>();
    for (const { id, v } of this.#log.slice(0, this.#committed)) {
      if (v === null) rows.delete(id);
      else rows.set(id, v);
    }
    return rows;
  }

  #reader(): SnapshotReader<unknown> {
    return {
      recall: () => ({ contains: () => false, isPassed: () => true }),
      readTables: async () => [TABLE],
      divide: async () => [],
      checkFilter: async () => {},
      emitted: () => {},
      keyOf: (_table, batch) => [String((batch as unknown as { id: number }).id)],
      openView: async () => this.#view(),
      async [Symbol.asyncDispose]() {},
    };
  }

  /** Reads the table as it is at each chunk, as if each had a view of its own. */
  #view(): SnapshotView<unknown> {
    const world = this;
    let readAt = this.#committed;
    return {
      mark: '',
      blank: () => Promise.reject(new Error('not asked for')),
      contains: () => false,
      isPassed: (position) => (position as number) >= readAt,
      async *read({ after, upTo, keys, filter }) {
        assert.ok(filter === null || filter === `CASE WHEN ${world.filter}\n THEN TRUE END IS NOT TRUE`);
        world.#goOn();
        readAt = world.#committed;
        const rows = [...world.#rows()]
          .filter(([id]) => (after === null || id > Number(after[0])) && (upTo === null || id <= Number(upTo[0])))
          .filter(([id]) => filter === null || !isInside(id))
          .filter(([id]) => keys === null || keys.some(([key]) => Number(key) === id))
          .sort(([a], [b]) => a - b);
        const given = rows.slice(0, 3);
        for (const [id, v] of given) {
          const row: Row = { id: number(id), v: `${v}` };
          yield Object.assign(batchOf(SHAPE, { id: number(id) }, row), { id });
        }
        const last = given.at(-1);
        return { last: last === undefined ? null : [String(last[0])], isDone: rows.length <= 3 };
      },
      async [Symbol.asyncDispose]() {},
    };
  }

  #topics(): TopicSource {
    const partitions = this.#partitions;
    return {
      describe: async () => ({
        partitions: partitions.map(({ length }, partition) => ({ partition, start: 0, end: length })),
        forgets: true,
      }),
      ends: async () => {
        this.#goOn();
        return partitions.map(({ length }) => length);
      },
      async *read(_topic, partition, from, to) {
        const records = partitions[partition]!.slice(from, to);
        if (records.length > 0) yield records;
      },
      recordAt: async (_topic, partition, offset) => partitions[partition]![offset] ?? null,
      unavailableColumns: () => [],
    };
  }
}

function framed(id: number, bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from([0, 0, 0, 0, id]), bytes]);
}

function number(value: number): ExactJson {
  return parseExactJson(String(value)) as ExactNumber;
}
