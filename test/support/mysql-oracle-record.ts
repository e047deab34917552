import { createHash } from 'node:crypto';
import { type AvroDecoder, schemaId } from './avro-decoder.ts';
import type { ReplayedRecord } from './oracle-replay.ts';
import type { ReadRecord } from './topic-reader.ts';

/** Values by column, in a form that the table's have too. */
export type MysqlRow = ReadonlyMap<string, string | number | null>;

/** A record of a table of the workload, as far as the oracle looks at it. */
export interface MysqlOracleRecord extends ReplayedRecord {
  /** Debezium's operation, or `tombstone`. */
  readonly op: string;
  readonly id: string;
  readonly before: MysqlRow | null;
  readonly after: MysqlRow | null;
  readonly order: { readonly id: string; readonly total: bigint } | null;
  readonly bytes: number;
}

interface Envelope {
  readonly before: Record<string, unknown> | null;
  readonly after: Record<string, unknown> | null;
  readonly op: string;
  readonly source: { readonly file: string; readonly pos: bigint; readonly row: number; readonly gtid: string | null };
  readonly transaction: { readonly id: string; readonly total_order: bigint } | null;
}

/** Files are numbered, and shorter than this. */
const FILE_BYTES = 2n ** 40n;

/** Decodes records of the workload's tables. Records of one partition must come in order. */
export class MysqlOracleDecoder {
  readonly #decoder: AvroDecoder;
  readonly #deletions = new Map<string, MysqlOracleRecord>();

  constructor(decoder: AvroDecoder) {
    this.#decoder = decoder;
  }

  async decode(record: ReadRecord): Promise<MysqlOracleRecord> {
    const partition = `${record.topic}/${record.partition}`;
    const key = record.key!.toString('hex');
    const bytes = record.key!.length + (record.value?.length ?? 0);
    const { id } = (await this.#decoder.decode(record.key)) as { id: unknown };
    if (record.value === null) {
      const deletion = this.#deletions.get(partition);
      if (deletion?.op !== 'd' || !deletion.identity.endsWith(key)) {
        throw new Error(`${partition}@${record.offset}: a tombstone that follows no deletion`);
      }
      const identity = `${deletion.identity}:tombstone`;
      const digest = digestOf(key, null, record.headers);
      return {
        ...deletion,
        op: 'tombstone',
        offset: record.offset,
        order: null,
        before: null,
        identity,
        digest,
        bytes,
      };
    }
    const envelope = (await this.#decoder.decode(record.value)) as Envelope;
    const { source, op, transaction } = envelope;
    const before = rowOfRecord(envelope.before);
    const after = rowOfRecord(envelope.after);
    // All events of a compressed transaction have its position: the version tells changes of one key apart.
    const version = (after ?? before)?.get('v') ?? '';
    const decoded: MysqlOracleRecord = {
      offset: record.offset,
      op,
      id: String(id),
      before,
      after,
      identity: `${source.file}:${source.pos}:${source.row}:${version}:${op}:${key}`,
      digest: digestOf(key, envelope, record.headers),
      schemaIds: `${schemaId(record.key!)}/${schemaId(record.value)}`,
      // Where the log has no GTIDs, each event stands for itself.
      transaction: source.gtid ?? transaction?.id ?? `${source.file}:${source.pos}`,
      lastCommit: BigInt(/(\d+)$/.exec(source.file)![1]!) * FILE_BYTES + BigInt(source.pos),
      order: transaction === null ? null : { id: transaction.id, total: BigInt(transaction.total_order) },
      bytes,
    };
    this.#deletions.set(partition, decoded);
    return decoded;
  }
}

/** A row as mysql2 gives it with dates as text. */
export function rowOfTable(row: Readonly<Record<string, unknown>>): MysqlRow {
  return new Map(
    Object.entries(row).map(([column, value]) => {
      if (value instanceof Uint8Array) return [column, Buffer.from(value).toString('hex')];
      if (column === 'ts' && value !== null) return [column, String(Date.parse(`${value}Z`))];
      return [column, value === null ? null : String(value)];
    }),
  );
}

function rowOfRecord(image: Readonly<Record<string, unknown>> | null): MysqlRow | null {
  if (image === null) return null;
  return new Map(
    Object.entries(image).map(([column, value]) => {
      if (value === null) return [column, null];
      if (value instanceof Uint8Array) {
        return [column, column === 'd' ? decimalText(value, 2) : Buffer.from(value).toString('hex')];
      }
      return [column, String(value)];
    }),
  );
}

/** Two's complement, big-endian, as `Decimal` of Kafka Connect. */
function decimalText(bytes: Uint8Array, scale: number): string {
  const unscaled = BigInt.asIntN(bytes.length * 8, BigInt(`0x${Buffer.from(bytes).toString('hex')}`));
  const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, '0');
  return `${unscaled < 0n ? '-' : ''}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

/** Of everything but the processing time. */
function digestOf(key: string, envelope: Envelope | null, headers: unknown): string {
  const { ts_ms: _ms, ts_us: _us, ts_ns: _ns, ...rest } = (envelope ?? {}) as Record<string, unknown>;
  const text = JSON.stringify(rest, (_name, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value));
  return createHash('sha1').update(key).update(text).update(JSON.stringify(headers)).digest('base64');
}
