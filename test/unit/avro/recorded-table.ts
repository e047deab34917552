import type { ChangeBatch } from '../../../src/core/change-batch.ts';
import type { ConnectField, ConnectSchema, ConnectStruct } from '../../../src/core/connect-schema.ts';
import type { ShapedColumn, TableShape } from '../../../src/core/encoder.ts';
import type { SourceBlock } from '../../../src/core/source-block.ts';
import { CELL_NULL, type ColumnCodec, RowCells, type TableVersion } from '../../../src/core/table.ts';
import { type ExactJson, parseExactJson, printExactJson } from '../../support/exact-json.ts';
import { writeExactJson } from '../../support/write-exact-json.ts';

/** A codec whose source bytes are the JSON text of a recorded value. */
export function jsonCodec(schema: ConnectSchema): ColumnCodec {
  return {
    schema,
    write: (bytes, start, end, out) => {
      const text = Buffer.from(bytes.subarray(start, end)).toString('utf8');
      writeExactJson(out, schema, parseExactJson(text), 'hex');
      return true;
    },
    writeUnavailable: () => {
      throw new Error('recorded rows hold the placeholder itself');
    },
    writeFallback: () => {
      throw new Error('recorded rows hold the stand-in itself');
    },
  };
}

/** The table that recorded schemas describe: key columns first, then the row's. */
export function tableShape(key: ConnectStruct | null, envelope: ConnectStruct): TableShape {
  const value = envelope.fields.find((field) => field.name === 'before')!.schema as ConnectStruct;
  const keyFields = key?.fields ?? [];
  const columns = [...keyFields, ...value.fields].map(column);
  const shaped = columns.map((made, index): ShapedColumn => ({ index, column: made }));
  return {
    version: {
      id: { database: 'd', schema: 's', name: 't' },
      fingerprint: '',
      columns,
      key: keyFields.map((_, index) => index),
      locate: () => {
        throw new Error('tests fill the cells themselves');
      },
    } satisfies TableVersion,
    topic: envelope.name.slice(0, -'.Envelope'.length),
    key: key === null ? null : shaped.slice(0, keyFields.length),
    value: shaped.slice(keyFields.length),
  };
}

function column(field: ConnectField) {
  return {
    name: field.name,
    codec: jsonCodec(field.schema),
    nullable: field.optional,
    default: field.default ?? null,
    sourceType: { typeName: '', length: null, scale: null },
  };
}

/** Writes the `source` block of one recorded value. */
export function recordedSource(schema: ConnectStruct): SourceBlock & { block: ExactJson } {
  return {
    schema,
    block: null,
    write(out) {
      writeExactJson(out, schema, this.block, 'hex');
    },
  };
}

export type Row = Readonly<Record<string, ExactJson>>;

/** Lays the JSON texts of rows out in one batch, and tells where they lie. */
export class RowBytes {
  #text = Buffer.alloc(0);

  cells(columns: readonly ShapedColumn[], row: Row, cells = new RowCells(200)): RowCells {
    for (const { index, column: made } of columns) {
      const value = row[made.name]!;
      if (value === null) {
        cells.starts[index] = CELL_NULL;
        continue;
      }
      const text = Buffer.from(printExactJson(value), 'utf8');
      cells.starts[index] = this.#text.length;
      this.#text = Buffer.concat([this.#text, text]);
      cells.ends[index] = this.#text.length;
    }
    return cells;
  }

  batch(details: ChangeBatch<unknown>['details'] = [null]): ChangeBatch<unknown> {
    return {
      bytes: this.#text,
      count: 1,
      kinds: new Uint8Array(1),
      versions: [null],
      details,
      hasBefore: new Uint8Array(1),
      receivedAtMs: 0,
      release: () => {},
    };
  }

  append(bytes: Uint8Array): { contentStart: number; contentEnd: number } {
    const contentStart = this.#text.length;
    this.#text = Buffer.concat([this.#text, bytes]);
    return { contentStart, contentEnd: this.#text.length };
  }
}
