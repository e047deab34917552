import { createHash } from 'node:crypto';
import { type AvroDecoder, schemaId } from './avro-decoder.ts';
import type { ReadRecord } from './topic-reader.ts';
import { decimalText } from './workload-values.ts';

/** A row as text by column; null is NULL. */
export type Row = ReadonlyMap<string, string | null>;

/** A record of a data topic, as far as the oracle looks at it. */
export interface OracleRecord {
  readonly table: string;
  readonly partition: number;
  readonly offset: number;
  /** Debezium's operation, or `tombstone`. */
  readonly op: string;
  /** The workload's number of the key; null for a truncate. */
  readonly key: number | null;
  readonly before: Row | null;
  readonly after: Row | null;
  /** The same for every copy of the record, and for no other record of its partition. */
  readonly identity: string;
  /** Of everything that must be the same in a copy: all but the processing time. */
  readonly digest: string;
  readonly schemaIds: string;
  readonly transaction: string;
  /** Commit before this one, as the source block says: records of one partition never go back in it, but for a replay. */
  readonly lastCommit: bigint;
  readonly order: { readonly id: string; readonly total: bigint } | null;
  readonly bytes: number;
}

interface Envelope {
  readonly before: Record<string, unknown> | null;
  readonly after: Record<string, unknown> | null;
  readonly op: string;
  readonly source: { readonly txId: bigint; readonly lsn: bigint; readonly sequence: string; readonly table: string };
  readonly transaction: { readonly id: string; readonly total_order: bigint } | null;
}

/** Decodes records of the workload's tables. Records of one partition must come in order. */
export class OracleDecoder {
  readonly #decoder: AvroDecoder;
  readonly #scales = new Map<number, Promise<ReadonlyMap<string, number>>>();
  readonly #previous = new Map<string, OracleRecord>();

  constructor(decoder: AvroDecoder) {
    this.#decoder = decoder;
  }

  async decode(record: ReadRecord): Promise<OracleRecord> {
    const table = record.topic.slice(record.topic.lastIndexOf('.') + 1);
    const partition = `${record.topic}/${record.partition}`;
    const key = (await this.#decoder.decode(record.key)) as Record<string, unknown> | null;
    const bytes = (record.key?.length ?? 0) + (record.value?.length ?? 0);
    const place = { table, partition: record.partition, offset: record.offset, bytes };
    const keyHex = record.key?.toString('hex') ?? '';
    if (record.value === null) return this.#tombstone(record, place, keyHex, this.#previous.get(partition));
    const envelope = (await this.#decoder.decode(record.value)) as Envelope;
    const scales = await this.#scalesOf(schemaId(record.value));
    const { source, op } = envelope;
    const before = toRow(envelope.before, scales);
    const after = toRow(envelope.after, scales);
    const row = after ?? before;
    const number = keyNumber(key === null ? row : toRow(key, scales));
    const decoded: OracleRecord = {
      ...place,
      op,
      key: number,
      before,
      after,
      identity: `${source.txId}:${source.lsn}:${op}:${keyHex === '' ? number : keyHex}:${row?.get('v') ?? ''}`,
      digest: digestOf(record, envelope),
      schemaIds: `${record.key === null ? '-' : schemaId(record.key)}/${schemaId(record.value)}`,
      transaction: String(source.txId),
      lastCommit: BigInt((JSON.parse(source.sequence) as [string | null, string])[0] ?? 0),
      order:
        envelope.transaction === null
          ? null
          : { id: envelope.transaction.id, total: BigInt(envelope.transaction.total_order) },
    };
    this.#previous.set(partition, decoded);
    return decoded;
  }

  /** A tombstone says nothing of itself: it belongs to the deletion before it. */
  #tombstone(
    record: ReadRecord,
    place: Pick<OracleRecord, 'table' | 'partition' | 'offset' | 'bytes'>,
    keyHex: string,
    deletion: OracleRecord | undefined,
  ): OracleRecord {
    if (deletion?.op !== 'd' || !deletion.identity.includes(`:d:${keyHex === '' ? deletion.key : keyHex}:`)) {
      throw new Error(`${record.topic}/${record.partition}@${record.offset}: a tombstone that follows no deletion`);
    }
    return {
      ...deletion,
      ...place,
      op: 'tombstone',
      before: null,
      order: null,
      identity: `${deletion.identity}:tombstone`,
      digest: createHash('sha1').update(keyHex).update(JSON.stringify(record.headers)).digest('base64'),
    };
  }

  /** Scales of the decimal columns of a value schema. */
  #scalesOf(id: number): Promise<ReadonlyMap<string, number>> {
    let scales = this.#scales.get(id);
    if (scales === undefined) {
      scales = this.#decoder.schemaText(id).then(readScales);
      this.#scales.set(id, scales);
    }
    return scales;
  }
}

interface AvroField {
  readonly name: string;
  readonly type: unknown;
}

function readScales(schema: string): ReadonlyMap<string, number> {
  const envelope = JSON.parse(schema) as { readonly fields: readonly AvroField[] };
  const before = envelope.fields.find(({ name }) => name === 'before');
  const row = branches(before?.type).find((type) => isObject(type) && type.type === 'record');
  const scales = new Map<string, number>();
  for (const { name, type } of (row as { fields?: readonly AvroField[] } | undefined)?.fields ?? []) {
    const decimal = branches(type).find((branch) => isObject(branch) && branch.logicalType === 'decimal');
    if (decimal !== undefined) scales.set(name, (decimal as { scale?: number }).scale ?? 0);
  }
  return scales;
}

function branches(type: unknown): readonly unknown[] {
  return Array.isArray(type) ? type : [type];
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function toRow(image: Record<string, unknown> | null, scales: ReadonlyMap<string, number>): Row | null {
  if (image === null) return null;
  return new Map(Object.entries(image).map(([column, value]) => [column, asText(column, value, scales)]));
}

function asText(column: string, value: unknown, scales: ReadonlyMap<string, number>): string | null {
  if (value === null) return null;
  if (value instanceof Uint8Array) return decimalText(fromTwosComplement(value), scales.get(column) ?? 0);
  if (isObject(value)) {
    return decimalText(fromTwosComplement(value.value as Uint8Array), Number(value.scale));
  }
  if (column.startsWith('z_')) return String(BigInt(Date.parse(String(value))) * 1000n);
  return String(value);
}

function fromTwosComplement(bytes: Uint8Array): bigint {
  const hex = Buffer.from(bytes).toString('hex');
  return hex === '' ? 0n : BigInt.asIntN(bytes.length * 8, BigInt(`0x${hex}`));
}

/** The inverse of how the workload makes keys. */
function keyNumber(row: Row | null): number | null {
  if (row === null) return null;
  const id = row.get('id');
  if (id !== undefined && id !== null) return Number(id);
  const [a, b] = [Number(row.get('a')), Number(row.get('b')?.slice(1))];
  // `a` is the key modulo 40 and `b` the rest.
  return Number.isNaN(a) || Number.isNaN(b) ? null : b * 40 + a;
}

function digestOf(record: ReadRecord, envelope: Envelope): string {
  const { ts_ms: _ms, ts_us: _us, ts_ns: _ns, ...rest } = envelope as unknown as Record<string, unknown>;
  const text = JSON.stringify(rest, (_name, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value));
  return createHash('sha1')
    .update(record.key ?? '')
    .update(text)
    .update(JSON.stringify(record.headers))
    .digest('base64');
}
