import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AvroTableEncoder } from '../../../src/avro/avro-table-encoder.ts';
import { AvroWriter } from '../../../src/avro/avro-writer.ts';
import { EnvelopePlan } from '../../../src/avro/envelope-plan.ts';
import type { ChangeBatch } from '../../../src/core/change-batch.ts';
import type { ConnectStruct, SchemaDefault } from '../../../src/core/connect-schema.ts';
import type { ShapedColumn, TableShape } from '../../../src/core/encoder.ts';
import { MalformedValueError, PoisonChangeError } from '../../../src/core/errors.ts';
import { CELL_ABSENT, CELL_NULL, CELL_UNAVAILABLE, type ColumnCodec, RowCells } from '../../../src/core/table.ts';

/** Writes the text; `!` is malformed, `~` has no representation, `#` is too precise a decimal. */
const CODEC: ColumnCodec = {
  schema: { type: 'string' },
  write(bytes, start, end, out) {
    if (bytes[start] === 0x21) throw new MalformedValueError('malformed');
    if (bytes[start] === 0x23) throw new RangeError('too precise');
    if (bytes[start] === 0x7e) return false;
    out.utf8(bytes, start, end);
    return true;
  },
  writeUnavailable: (out) => out.text('unavailable'),
  writeFallback: (out) => out.text('fallback'),
};
const DEFAULT: SchemaDefault = { write: (out) => out.text('default') };
const COLUMNS = [
  { name: 'required', nullable: false, default: null },
  { name: 'required_default', nullable: false, default: DEFAULT },
  { name: 'nullable', nullable: true, default: null },
  { name: 'nullable_default', nullable: true, default: DEFAULT },
].map(
  (column, index): ShapedColumn => ({
    index,
    column: { ...column, codec: CODEC, sourceType: { typeName: '', length: null, scale: null } },
  }),
);
const SOURCE_SCHEMA: ConnectStruct = { type: 'struct', name: 'x.Source', fields: [] };

function encoder(keyColumns: readonly ShapedColumn[] = COLUMNS): { table: AvroTableEncoder; out: AvroWriter } {
  const shape: TableShape = {
    version: {
      id: { database: 'd', schema: 'public', name: 't' },
      fingerprint: '',
      columns: COLUMNS.map(({ column }) => column),
      key: [0],
      locate: () => {},
    },
    topic: 'x.public.t',
    key: keyColumns,
    value: COLUMNS,
  };
  const source = { schema: SOURCE_SCHEMA, write: () => {} };
  const plan = new EnvelopePlan(shape, source, { schemaNames: 'none', fieldNames: 'none' });
  const out = new AvroWriter();
  out.text('before');
  return { table: new AvroTableEncoder(out, plan, Uint8Array.of(0, 0, 0, 0, 1), Uint8Array.of(0, 0, 0, 0, 2)), out };
}

/** A row image: texts, or the codes for what is not there. */
function image(...values: (string | number)[]): { cells: RowCells; batch: ChangeBatch<unknown> } {
  const cells = new RowCells();
  let text = '';
  values.forEach((value, i) => {
    cells.starts[i] = typeof value === 'number' ? value : text.length;
    if (typeof value === 'string') text += value;
    cells.ends[i] = text.length;
  });
  return { cells, batch: { bytes: Buffer.from(text) } as ChangeBatch<unknown> };
}

const text = (value: string): string => Buffer.from([value.length * 2, ...Buffer.from(value)]).toString('hex');
const MARK = text('before');

function writtenImage(role: 'before' | 'after', ...values: (string | number)[]): string {
  const { table, out } = encoder();
  const { cells, batch } = image(...values);
  table.writeValue('u', batch, 0, role === 'before' ? cells : null, role === 'after' ? cells : null, null, 0);
  const hex = out.output.bytes.subarray(0, out.output.length).toString('hex');
  const head = `${MARK}0000000002${role === 'before' ? '02' : '0002'}`;
  assert.ok(hex.startsWith(head), hex);
  const tail = `${role === 'before' ? '00' : ''}00${text('u')}020002000200`;
  assert.ok(hex.endsWith(tail), hex);
  return hex.slice(head.length, hex.length - tail.length);
}

/** The failed record must leave nothing behind. */
function poisoned(code: string, column: string, write: (table: AvroTableEncoder) => void): void {
  const { table, out } = encoder();
  assert.throws(
    () => write(table),
    (error: PoisonChangeError) => {
      assert.ok(error instanceof PoisonChangeError, String(error));
      assert.equal(error.code, code);
      assert.equal(error.table, 'public.t');
      assert.match(error.message, new RegExp(`\\b${column}\\b`));
      return true;
    },
  );
  assert.equal(out.output.bytes.subarray(0, out.output.length).toString('hex'), MARK);
}

describe('row images', () => {
  it('write present values under the right branch of the union', () => {
    assert.equal(writtenImage('after', 'a', 'b', 'c', 'd'), `${text('a')}${text('b')}02${text('c')}00${text('d')}`);
  });

  it('keep a stored NULL although the column has a default', () => {
    assert.equal(writtenImage('after', 'a', 'b', CELL_NULL, CELL_NULL), `${text('a')}${text('b')}0002`);
  });

  it('write a placeholder for an unchanged value that was not logged', () => {
    const row = [CELL_UNAVAILABLE, CELL_UNAVAILABLE, CELL_UNAVAILABLE, CELL_UNAVAILABLE];
    const placeholder = text('unavailable');
    assert.equal(writtenImage('after', ...row), `${placeholder}${placeholder}02${placeholder}00${placeholder}`);
  });

  it('write what an old image does not carry as null, as the default, or as the stand-in of the type', () => {
    const row = [CELL_ABSENT, CELL_ABSENT, CELL_ABSENT, CELL_ABSENT];
    assert.equal(writtenImage('before', ...row), `${text('fallback')}${text('default')}0002`);
  });

  it('write NULL where a nullable column holds what the schema cannot express', () => {
    assert.equal(writtenImage('after', 'a', 'b', '~', '~'), `${text('a')}${text('b')}0002`);
  });

  it('never invent a value of a new row', () => {
    for (const missing of [CELL_NULL, CELL_ABSENT]) {
      const { cells, batch } = image('a', missing, 'c', 'd');
      poisoned('COLUMN_NULL_NOT_ALLOWED', 'required_default', (table) =>
        table.writeValue('c', batch, 0, null, cells, null, 0),
      );
    }
  });

  it('are poison where a value is malformed or cannot be expressed', () => {
    const malformed = image('a', 'b', '!', 'd');
    poisoned('COLUMN_VALUE_MALFORMED', 'nullable', (table) =>
      table.writeValue('c', malformed.batch, 0, null, malformed.cells, null, 0),
    );
    const precise = image('#', 'b', 'c', 'd');
    poisoned('COLUMN_VALUE_MALFORMED', 'required', (table) =>
      table.writeValue('d', precise.batch, 0, precise.cells, null, null, 0),
    );
    const unrepresentable = image('~', 'b', 'c', 'd');
    poisoned('COLUMN_VALUE_UNREPRESENTABLE', 'required', (table) =>
      table.writeValue('c', unrepresentable.batch, 0, null, unrepresentable.cells, null, 0),
    );
  });
});

describe('keys', () => {
  it('may hold NULL in a nullable column', () => {
    const { table, out } = encoder();
    const { cells, batch } = image('a', 'b', CELL_NULL, 'd');
    table.writeKey(batch, cells);
    const hex = out.output.bytes.subarray(0, out.output.length).toString('hex');
    assert.equal(hex, `${MARK}0000000001${text('a')}${text('b')}0000${text('d')}`);
    assert.equal(
      table.keyAsJson(batch, cells),
      '{"required":"a","required_default":"b","nullable":null,"nullable_default":"d"}',
    );
  });

  it('never hold a stand-in for a value that was not logged', () => {
    for (const missing of [CELL_ABSENT, CELL_UNAVAILABLE]) {
      for (const [at, column] of ['required', 'required_default', 'nullable', 'nullable_default'].entries()) {
        const values: (string | number)[] = ['a', 'b', 'c', 'd'];
        values[at] = missing;
        const { cells, batch } = image(...values);
        poisoned('KEY_COLUMN_MISSING', column, (table) => table.writeKey(batch, cells));
        poisoned('KEY_COLUMN_MISSING', column, (table) => table.keyAsJson(batch, cells));
      }
    }
  });

  it('start afresh as JSON after one that failed', () => {
    const { table } = encoder();
    const failing = image('a', CELL_ABSENT, 'c', 'd');
    assert.throws(() => table.keyAsJson(failing.batch, failing.cells), PoisonChangeError);
    const { cells, batch } = image('a', 'b', 'c', 'd');
    assert.equal(
      table.keyAsJson(batch, cells),
      '{"required":"a","required_default":"b","nullable":"c","nullable_default":"d"}',
    );
  });
});
