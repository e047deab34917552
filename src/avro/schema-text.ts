import type { ConnectField, ConnectScalar, ConnectSchema, ConnectStruct } from '../core/connect-schema.ts';
import { ConfigurationError } from '../core/errors.ts';
import { jsonString } from './json-text.ts';
import { JsonWriter } from './json-writer.ts';

const AVRO_TYPES = {
  int8: 'int',
  int16: 'int',
  int32: 'int',
  int64: 'long',
  float32: 'float',
  float64: 'double',
  boolean: 'boolean',
  string: 'string',
  bytes: 'bytes',
} as const satisfies Record<ConnectScalar['type'], string>;

const DECIMAL_NAME = 'org.apache.kafka.connect.data.Decimal';
const DEFAULT_DECIMAL_PRECISION = '64';

const LOGICAL_TYPES: Readonly<Record<string, string>> = {
  [DECIMAL_NAME]: 'decimal',
  'org.apache.kafka.connect.data.Date': 'date',
  'org.apache.kafka.connect.data.Time': 'time-millis',
  'org.apache.kafka.connect.data.Timestamp': 'timestamp-millis',
};

/**
 * The Avro schema of a record, letter by letter as Confluent's AvroData and Avro's Java library print it: a registry that
 * holds Debezium's schema of the same table answers with Debezium's id.
 * @throws ConfigurationError where two different structs have the same name.
 */
export function avroSchemaText(struct: ConnectStruct): string {
  return new SchemaPrinter().type(struct, null);
}

class SchemaPrinter {
  /** Namespace of the record around what is being printed. */
  #namespace = '';
  /** Fields of the records printed so far, by full name. */
  readonly #records = new Map<string, string>();

  type(schema: ConnectSchema, defaultText: string | null): string {
    switch (schema.type) {
      case 'struct':
        return this.#record(schema, defaultText);
      case 'array': {
        const items = this.#element(schema.items, schema.itemsOptional);
        return `{"type":"array","items":${items}${properties(schema, defaultText)}}`;
      }
      case 'map': {
        const values = this.#element(schema.values, schema.valuesOptional);
        return `{"type":"map","values":${values}${properties(schema, defaultText)}}`;
      }
      default: {
        const type = `"${AVRO_TYPES[schema.type]}"`;
        const rest = `${decimalProperties(schema)}${properties(schema, defaultText)}${typeProperties(schema)}`;
        return rest === '' ? type : `{"type":${type}${rest}}`;
      }
    }
  }

  #element(schema: ConnectSchema, optional: boolean): string {
    const text = this.type(schema, null);
    return optional ? `["null",${text}]` : text;
  }

  #record(struct: ConnectStruct, defaultText: string | null): string {
    const { namespace, name } = splitName(struct.name);
    const outer = this.#namespace;
    const known = this.#records.get(struct.name);
    if (known !== undefined) {
      if (known !== fieldNames(struct)) throw nameConflict(struct.name);
      return jsonString(namespace === outer ? name : struct.name);
    }
    this.#records.set(struct.name, fieldNames(struct));
    this.#namespace = namespace;
    const fields = struct.fields.map((field) => this.#field(field)).join(',');
    this.#namespace = outer;
    const namespaceText = namespace === outer ? '' : `,"namespace":${jsonString(namespace)}`;
    const rest = properties(struct, defaultText);
    return `{"type":"record","name":${jsonString(name)}${namespaceText},"fields":[${fields}]${rest}}`;
  }

  #field(field: ConnectField): string {
    const name = `{"name":${jsonString(field.name)}`;
    const defaultText = field.default === undefined ? null : renderDefault(field.default);
    const type = this.type(field.schema, defaultText);
    if (defaultText !== null) {
      return `${name},"type":${field.optional ? `[${type},"null"]` : type},"default":${defaultText}}`;
    }
    return field.optional ? `${name},"type":["null",${type}],"default":null}` : `${name},"type":${type}}`;
  }
}

function renderDefault(value: NonNullable<ConnectField['default']>): string {
  const out = new JsonWriter('avro-default');
  value.write(out);
  return out.take();
}

function decimalProperties(schema: ConnectScalar): string {
  if (schema.name !== DECIMAL_NAME) return '';
  const scale = parameter(schema, 'scale') ?? '0';
  const precision = parameter(schema, 'connect.decimal.precision') ?? DEFAULT_DECIMAL_PRECISION;
  return `,"scale":${scale},"precision":${precision}`;
}

function properties(schema: ConnectSchema, defaultText: string | null): string {
  let text = '';
  if (schema.doc !== undefined) text += `,"connect.doc":${jsonString(schema.doc)}`;
  if (schema.version !== undefined) text += `,"connect.version":${schema.version}`;
  if (schema.parameters !== undefined && schema.parameters.length > 0) {
    const pairs = schema.parameters.map(([key, value]) => `${jsonString(key)}:${jsonString(value)}`);
    text += `,"connect.parameters":{${pairs.join(',')}}`;
  }
  if (defaultText !== null) text += `,"connect.default":${defaultText}`;
  if (schema.name !== undefined) text += `,"connect.name":${jsonString(schema.name)}`;
  return text;
}

function typeProperties(schema: ConnectScalar): string {
  if (schema.type === 'int8' || schema.type === 'int16') return `,"connect.type":"${schema.type}"`;
  const logicalType = schema.name === undefined ? undefined : LOGICAL_TYPES[schema.name];
  return logicalType === undefined ? '' : `,"logicalType":"${logicalType}"`;
}

function parameter(schema: ConnectSchema, key: string): string | undefined {
  return schema.parameters?.find(([name]) => name === key)?.[1];
}

function splitName(fullName: string): { namespace: string; name: string } {
  const dot = fullName.lastIndexOf('.');
  return { namespace: fullName.slice(0, Math.max(dot, 0)), name: fullName.slice(dot + 1) };
}

/** What must agree where a record is only named: the bytes of its values depend on nothing else. */
function fieldNames(struct: ConnectStruct): string {
  return struct.fields
    .map((field) => `${field.name}:${field.schema.type}:${field.optional}:${field.default !== undefined}`)
    .join();
}

function nameConflict(name: string): ConfigurationError {
  return new ConfigurationError(`Two different structures of one schema are both named ${name}.`, {
    code: 'SCHEMA_NAME_CONFLICT',
    remedy: 'Exclude one of the columns with this type, or choose another mode for it under `types`.',
  });
}
