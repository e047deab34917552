import { RowEncoder } from '../../../src/avro/row-encoder.ts';
import type { ChangeBatch } from '../../../src/core/change-batch.ts';
import type { ConnectStruct } from '../../../src/core/connect-schema.ts';
import type { TableShape } from '../../../src/core/encoder.ts';
import type { ColumnCodec } from '../../../src/core/table.ts';
import { toleratedTexts } from '../../../src/verify/tolerated-texts.ts';
import type { TopicRecord } from '../../../src/verify/topic-source.ts';
import type { RecordedRecord, RecordedTopic } from '../../support/debezium-fixtures.ts';
import { readAvroSchema } from '../../support/read-avro-schema.ts';
import { type Row, RowBytes, tableShape } from '../avro/recorded-table.ts';

export const PLACEHOLDER = '__debezium_unavailable_value';

/** The table that a record's schemas describe; its rows are given by `batchOf`. */
export function shapeOf(topic: RecordedTopic, record: RecordedRecord, typeName = ''): TableShape | null {
  const envelope = readAvroSchema(topic.schemas[String(record.valueId)]!);
  if (!envelope.name.endsWith('.Envelope')) return null;
  const key: ConnectStruct | null = record.keyId === null ? null : readAvroSchema(topic.schemas[String(record.keyId)]!);
  const shape = tableShape(key, envelope);
  const telling = (column: TableShape['value'][number]['column']) => ({
    ...column,
    sourceType: { ...column.sourceType, typeName },
    codec: withPlaceholder(column.codec),
  });
  return {
    ...shape,
    version: { ...shape.version, locate: (batch, _index, _image, cells) => (batch as RecordedBatch).fill(cells) },
    value: shape.value.map(({ index, column }) => ({ index, column: telling(column) })),
  };
}

type RecordedBatch = ChangeBatch<unknown> & {
  fill(cells: { starts: Int32Array; ends: Int32Array }): void;
};

/** A batch of one row: the recorded key and the recorded `after`. */
export function batchOf(shape: TableShape, key: Row | null, after: Row): ChangeBatch<unknown> {
  const rows = new RowBytes();
  const cells = rows.cells(shape.value, after);
  if (shape.key !== null && key !== null) rows.cells(shape.key, key, cells);
  const batch: RecordedBatch = {
    ...rows.batch(),
    versions: [shape.version],
    fill: (into) => {
      into.starts.set(cells.starts.subarray(0, into.starts.length));
      into.ends.set(cells.ends.subarray(0, into.ends.length));
    },
  };
  return batch;
}

export function encoderOf(shape: TableShape, tolerate: 'debezium' | null = null): RowEncoder {
  const texts = toleratedTexts(tolerate);
  return new RowEncoder(shape, { schemaNames: 'none', fieldNames: 'none', placeholder: PLACEHOLDER, texts });
}

export function topicRecord(record: RecordedRecord, offset = 0): TopicRecord {
  const bytes = (hex: string | null) => (hex === null ? null : Buffer.from(hex, 'hex'));
  return { offset, timestampMs: 0, key: bytes(record.keyHex), value: bytes(record.valueHex), headers: null };
}

/** Text and bytes have the placeholder; the other types stand-ins that tell nothing, as the connectors' small types. */
export function withPlaceholder(codec: ColumnCodec): ColumnCodec {
  const bytes = Buffer.from(PLACEHOLDER);
  const { schema } = codec;
  return {
    ...codec,
    writeUnavailable: (out) => {
      if (schema.type === 'string') out.text(PLACEHOLDER);
      else if (schema.type === 'bytes') out.bytes(bytes, 0, bytes.length);
      else if (schema.type === 'boolean') out.boolean(false);
      else if (schema.type === 'int64') out.safeLong(0);
      else if (schema.type === 'float32') out.float(0);
      else if (schema.type === 'float64') out.double(0);
      else if (schema.type === 'array') {
        out.beginArray(0);
        out.endArray();
      } else if (schema.type === 'map') {
        out.beginMap(0);
        out.endMap();
      } else if (schema.type === 'struct') {
        for (const field of schema.fields) {
          if (field.optional) out.absent(0);
          else withPlaceholder({ ...codec, schema: field.schema }).writeUnavailable(out);
        }
      } else out.int(0);
    },
  };
}
