import { AvroCursor } from '../avro/avro-cursor.ts';
import { AvroDecodeError } from '../avro/avro-reader.ts';
import { ComparableSchema, type ComparableTexts } from '../avro/comparable-schema.ts';
import { EnvelopeReader } from '../avro/envelope-reader.ts';
import { layoutOf, RowImage, type RowLayout } from '../avro/row-image.ts';
import { GrowingBytes } from '../core/growing-bytes.ts';
import type { ColumnSets } from './column-sets.ts';
import { hash128 } from './hash-128.ts';
import type { SchemaById, TopicRecord } from './topic-source.ts';
import { StateKind, TopicState } from './topic-state.ts';

/** Before the Avro bytes: a zero byte and the schema id. */
const FRAME_BYTES = 5;
/** Begins what is hashed of a key that is not made of the columns that the table's key has now, or not readable at all. */
const OTHER_KEY = 0xff;

interface RowReading {
  readonly envelope: EnvelopeReader;
  readonly take: (input: AvroCursor) => void;
}

interface KeyReading {
  readonly schema: ComparableSchema;
  readonly image: RowImage;
  readonly take: (input: AvroCursor) => void;
  /** What precedes the comparable bytes of a key with other columns; null for one with the columns of now. */
  readonly prefix: Buffer | null;
}

export interface RecordStatesOptions {
  /** Null: the topic has no keys. */
  readonly keyLayout: RowLayout | null;
  readonly isKeyless: boolean;
  /** Null: nothing is known of the table; the first record decides. */
  readonly rowLayout: RowLayout | null;
  /** Names of the table's columns in the order of `rowLayout`, for what the records call unavailable. */
  readonly columns: readonly string[];
  readonly texts: ComparableTexts;
  readonly schemaById: SchemaById;
  readonly columnSets: ColumnSets;
  unavailableColumns(record: TopicRecord): readonly string[];
}

/** Reads from records what state they leave their keys in. */
export class RecordStates {
  readonly #options: RecordStatesOptions;
  readonly #keys = new Map<number, KeyReading | null>();
  readonly #rows = new Map<number, RowReading | null>();
  readonly #cursor = new AvroCursor();
  readonly #prefixed = new GrowingBytes();
  readonly #state = new TopicState();
  #row: RowImage | null = null;
  /** Records that cannot be read. */
  damaged = 0;
  /** Those among them that may be about any row. */
  blind = 0;
  /** Records of rows without a key, in a topic whose records have one. */
  unkeyed = 0;
  /** Changes in a topic without keys that do not tell what they replaced. */
  untold = 0;

  constructor(options: RecordStatesOptions) {
    this.#options = options;
    if (options.rowLayout !== null) this.#row = new RowImage(options.rowLayout);
  }

  /** Makes sure that the schemas of the records are known; `take` is for records that were prepared. */
  async prepare(records: readonly TopicRecord[]): Promise<void> {
    for (const { key, value } of records) {
      const valueId = schemaIdOf(value);
      if (valueId !== null && !this.#rows.has(valueId)) this.#rows.set(valueId, await this.#rowReading(valueId));
      if (this.#options.isKeyless) continue;
      const keyId = schemaIdOf(key);
      if (keyId !== null && !this.#keys.has(keyId)) this.#keys.set(keyId, await this.#keyReading(keyId));
    }
  }

  /** Emits what the record says, at most two states; the state is reused. */
  take(record: TopicRecord, partition: number, emit: (state: TopicState) => void): void {
    const state = this.#state;
    state.partition = partition;
    state.offset = record.offset;
    state.timestampMs = record.timestampMs;
    state.columnSet = 0;
    if (this.#options.isKeyless) this.#takeKeyless(record, emit);
    else this.#takeKeyed(record, emit);
  }

  #takeKeyed(record: TopicRecord, emit: (state: TopicState) => void): void {
    const state = this.#state;
    if (record.key === null) {
      const op = record.value === null ? '' : this.#operation(record.value);
      if (op === 't') {
        state.kind = StateKind.truncate;
        emit(state);
      } else this.unkeyed += 1;
      return;
    }
    this.#hashKey(record.key);
    state.kind = StateKind.deleted;
    if (record.value !== null) {
      const reading = this.#readingOf(record.value);
      try {
        if (reading === null) throw new AvroDecodeError('the value has no schema');
        const parts = reading.envelope.read(record.value, FRAME_BYTES, null, reading.take);
        if (parts.hasAfter) this.#hashRow(record);
        else if (!parts.hasBefore && parts.op !== 'd') throw new AvroDecodeError('the envelope has no row');
      } catch (error) {
        this.#damage(error);
      }
    }
    emit(state);
  }

  /** Each value is a key of its own: what is compared is how often it is there. */
  #takeKeyless(record: TopicRecord, emit: (state: TopicState) => void): void {
    // A tombstone from when the table had a key.
    if (record.value === null) return;
    const state = this.#state;
    const reading = this.#readingOf(record.value);
    try {
      if (reading === null) throw new AvroDecodeError('the value has no schema');
      const { op, hasBefore } = reading.envelope.read(record.value, FRAME_BYTES, reading.take, null);
      if (op === 't') {
        state.kind = StateKind.truncate;
        emit(state);
        return;
      }
      if (hasBefore) this.#emitValue(record, StateKind.deleted, emit);
      else if (op === 'u' || op === 'd') this.untold += 1;
      if (op === 'd') return;
      reading.envelope.read(record.value, FRAME_BYTES, null, reading.take);
      this.#emitValue(record, StateKind.row, emit);
    } catch (error) {
      this.#damage(error);
      this.blind += 1;
    }
  }

  #emitValue(record: TopicRecord, kind: StateKind, emit: (state: TopicState) => void): void {
    const state = this.#state;
    if (this.#unavailable(record).length > 0) this.untold += 1;
    const { bytes, length } = this.#row!.compose(null);
    hash128(bytes, 0, length, state.key, 0);
    state.kind = kind;
    emit(state);
  }

  #hashRow(record: TopicRecord): void {
    const state = this.#state;
    const unavailable = this.#unavailable(record);
    const { bytes, length } = this.#row!.compose(unavailable.length === 0 ? null : new Set(unavailable));
    hash128(bytes, 0, length, state.row, 0);
    state.kind = unavailable.length === 0 ? StateKind.row : StateKind.partial;
    state.columnSet = this.#options.columnSets.idOf(unavailable);
  }

  #unavailable(record: TopicRecord): readonly number[] {
    const found = this.#row!.placeholders();
    if (record.headers === null) return found;
    const told = this.#options.unavailableColumns(record).map((name) => this.#options.columns.indexOf(name));
    return told.length === 0 ? found : [...found, ...told.filter((index) => index >= 0)];
  }

  #hashKey(key: Buffer): void {
    const id = schemaIdOf(key);
    const reading = id === null ? null : (this.#keys.get(id) ?? null);
    const out = this.#prefixed;
    out.length = 0;
    if (reading === null) {
      this.#hashRawKey(key);
      return;
    }
    try {
      reading.schema.reset();
      const input = this.#cursor.open(key, FRAME_BYTES);
      reading.take(input);
      if (input.remaining > 0) throw new AvroDecodeError('bytes follow the key');
    } catch (error) {
      if (!(error instanceof AvroDecodeError)) throw error;
      this.#hashRawKey(key);
      return;
    }
    const composed = reading.image.compose(null);
    if (reading.prefix === null) {
      hash128(composed.bytes, 0, composed.length, this.#state.key, 0);
      return;
    }
    out.append(reading.prefix, 0, reading.prefix.length);
    out.append(composed.bytes, 0, composed.length);
    hash128(out.bytes, 0, out.length, this.#state.key, 0);
  }

  #hashRawKey(key: Buffer): void {
    const out = this.#prefixed;
    out.length = 0;
    out.byte(OTHER_KEY);
    out.append(key, 0, key.length);
    hash128(out.bytes, 0, out.length, this.#state.key, 0);
  }

  #operation(value: Buffer): string {
    try {
      return this.#readingOf(value)?.envelope.read(value, FRAME_BYTES, null, null).op ?? '';
    } catch (error) {
      this.#damage(error);
      this.blind += 1;
      return '';
    }
  }

  #damage(error: unknown): void {
    if (!(error instanceof AvroDecodeError)) throw error;
    this.damaged += 1;
    this.#state.kind = StateKind.damaged;
  }

  #readingOf(value: Buffer): RowReading | null {
    const id = schemaIdOf(value);
    return id === null ? null : (this.#rows.get(id) ?? null);
  }

  async #rowReading(id: number): Promise<RowReading | null> {
    const schema = await this.#options.schemaById(id);
    if (schema === null || schema.type !== 'AVRO') return null;
    try {
      const envelope = new EnvelopeReader(schema.text, this.#options.texts);
      this.#row ??= new RowImage(layoutOf(envelope.row.fields));
      return { envelope, take: this.#row.taker(envelope.row) };
    } catch (error) {
      // Records of it are counted as damaged.
      if (error instanceof AvroDecodeError) return null;
      throw error;
    }
  }

  async #keyReading(id: number): Promise<KeyReading | null> {
    const found = await this.#options.schemaById(id);
    if (found === null || found.type !== 'AVRO') return null;
    try {
      const schema = new ComparableSchema(found.text, this.#options.texts);
      const record = schema.rootRecord();
      const names = record.fields.map(({ name }) => name);
      const { keyLayout } = this.#options;
      const isOfNow = keyLayout !== null && sameNames(names, keyLayout);
      const image = new RowImage(isOfNow ? keyLayout : layoutOf(record.fields));
      const prefix = isOfNow ? null : Buffer.concat([Buffer.of(OTHER_KEY), Buffer.from(JSON.stringify(names))]);
      return { schema, image, take: image.taker(record), prefix };
    } catch (error) {
      // Its keys are compared as the bytes that they are.
      if (error instanceof AvroDecodeError) return null;
      throw error;
    }
  }
}

/** Null for bytes that are not in the wire format of a registry. */
export function schemaIdOf(bytes: Buffer | null): number | null {
  return bytes !== null && bytes.length >= FRAME_BYTES && bytes[0] === 0 ? bytes.readUInt32BE(1) : null;
}

function sameNames(names: readonly string[], { fields }: RowLayout): boolean {
  return names.length === fields.length && fields.every(({ name }) => names.includes(name));
}
