import type { ConnectSchema } from '../../src/core/connect-schema.ts';
import type { NullBranch, ValueWriter } from '../../src/core/value-writer.ts';
import { type ExactJson, ExactNumber } from './exact-json.ts';

/** How bytes stand in the JSON: `0x…` in recorded values, one character per byte in the defaults of schemas. */
export type BytesForm = 'hex' | 'latin1';

/** Pushes a JSON value into a writer by its schema, as a codec of that type would. */
export function writeExactJson(out: ValueWriter, schema: ConnectSchema, value: ExactJson, form: BytesForm): void {
  switch (schema.type) {
    case 'boolean':
      out.boolean(value as boolean);
      return;
    case 'int8':
    case 'int16':
    case 'int32':
      out.int(Number(textOf(value)));
      return;
    case 'int64': {
      const integer = BigInt(textOf(value));
      out.long(Number(BigInt.asIntN(32, integer >> 32n)), Number(BigInt.asIntN(32, integer)));
      return;
    }
    case 'float32':
      out.float(Number(textOf(value)));
      return;
    case 'float64':
      out.double(Number(textOf(value)));
      return;
    case 'string':
      out.text(value as string);
      return;
    case 'bytes': {
      const text = value as string;
      const bytes = form === 'hex' ? Buffer.from(text.slice(2), 'hex') : Buffer.from(text, 'latin1');
      if (schema.name === 'org.apache.kafka.connect.data.Decimal') writeDecimal(out, schema, bytes);
      else out.bytes(bytes, 0, bytes.length);
      return;
    }
    case 'array': {
      const items = value as readonly ExactJson[];
      out.beginArray(items.length);
      for (const item of items) writeOptional(out, schema.items, schema.itemsOptional, 0, item, form);
      out.endArray();
      return;
    }
    case 'map': {
      const entries = Object.entries(value as Record<string, ExactJson>);
      out.beginMap(entries.length);
      for (const [key, item] of entries) {
        const keyBytes = Buffer.from(key, 'utf8');
        out.mapKey(keyBytes, 0, keyBytes.length);
        writeOptional(out, schema.values, schema.valuesOptional, 0, item, form);
      }
      out.endMap();
      return;
    }
    case 'struct': {
      const struct = value as Record<string, ExactJson>;
      out.beginStruct();
      for (const field of schema.fields) {
        out.field(field.name);
        const nullBranch = field.default === undefined ? 0 : 1;
        writeOptional(out, field.schema, field.optional, nullBranch, struct[field.name]!, form);
      }
      out.endStruct();
      return;
    }
  }
}

function writeOptional(
  out: ValueWriter,
  schema: ConnectSchema,
  optional: boolean,
  nullBranch: NullBranch,
  value: ExactJson,
  form: BytesForm,
): void {
  if (optional && value === null) {
    out.absent(nullBranch);
    return;
  }
  if (optional) out.present(nullBranch);
  writeExactJson(out, schema, value, form);
}

/** Turns the two's complement back into the digits that a database would have sent. */
function writeDecimal(out: ValueWriter, schema: ConnectSchema, bytes: Buffer): void {
  const scale = Number(schema.parameters?.find(([name]) => name === 'scale')?.[1]);
  const unscaled = BigInt.asIntN(bytes.length * 8, BigInt(`0x${bytes.toString('hex') || '0'}`));
  const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, '0');
  const point = digits.length - scale;
  const text = `${unscaled < 0n ? '-' : ''}${digits.slice(0, point)}${scale > 0 ? `.${digits.slice(point)}` : ''}`;
  out.decimal(Buffer.from(text, 'latin1'), 0, text.length, scale);
}

function textOf(value: ExactJson): string {
  return value instanceof ExactNumber ? value.text : String(value);
}
