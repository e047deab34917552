import { avroDecoder } from '../avro/avro-decoder.ts';
import { AvroDecodeError } from '../avro/avro-reader.ts';
import { READABLE_VALUES } from '../avro/readable-values.ts';
import type { RowEncoder } from '../avro/row-encoder.ts';
import type { KeyFinding } from './finding.ts';
import { schemaIdOf } from './record-states.ts';
import type { KeyColumns } from './report.ts';
import type { SchemaById, TopicSource } from './topic-source.ts';

const FRAME_BYTES = 5;

/** Says which key a finding is about, by its columns; of a table without key by all columns of the row. */
export class KeyNames {
  readonly #topic: string;
  readonly #topics: TopicSource;
  readonly #schemaById: SchemaById;
  readonly #ofRow: ((bytes: Buffer, start: number) => unknown) | null;
  readonly #isKeyless: boolean;

  constructor(
    topic: string,
    topics: TopicSource,
    schemaById: SchemaById,
    encoder: RowEncoder | null,
    isKeyless: boolean,
  ) {
    const schema = isKeyless ? encoder?.rowSchemaText : encoder?.keySchemaText;
    this.#topic = topic;
    this.#topics = topics;
    this.#schemaById = schemaById;
    this.#ofRow = schema === undefined || schema === null ? null : avroDecoder(schema, READABLE_VALUES);
    this.#isKeyless = isKeyless;
  }

  async columnsOf({ rowKey, record }: KeyFinding, signal: AbortSignal): Promise<KeyColumns> {
    if (rowKey !== null && this.#ofRow !== null) return this.#ofRow(rowKey, 0) as KeyColumns;
    if (record === null) return {};
    const place = { partition: record.partition, offset: record.offset };
    const found = await this.#topics.recordAt(this.#topic, record.partition, record.offset, signal);
    const bytes = this.#isKeyless ? found?.value : found?.key;
    const decoded = bytes === null || bytes === undefined ? null : await this.#decode(bytes);
    const columns = this.#isKeyless ? (decoded as { after?: unknown } | null)?.after : decoded;
    // A key that cannot be read is told by where it is.
    return isColumns(columns) ? columns : { unreadable: place };
  }

  async #decode(bytes: Buffer): Promise<unknown> {
    const id = schemaIdOf(bytes);
    const schema = id === null ? null : await this.#schemaById(id);
    if (schema === null || schema.type !== 'AVRO') return null;
    try {
      return avroDecoder(schema.text, READABLE_VALUES)(bytes, FRAME_BYTES);
    } catch (error) {
      if (error instanceof AvroDecodeError) return null;
      throw error;
    }
  }
}

function isColumns(value: unknown): value is KeyColumns {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array);
}
