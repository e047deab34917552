/**
 * The shape of a value in Kafka Connect's terms, which are Debezium's: everything that reaches a topic has one.
 * `src/avro` turns it into Avro text by the rules of Confluent's AvroData (property order included).
 */
export type ConnectSchema = ConnectScalar | ConnectArray | ConnectMap | ConnectStruct;

interface ConnectBase {
  /** Semantic name such as `io.debezium.time.Date`; for a struct the full record name. */
  readonly name?: string;
  readonly version?: number;
  readonly doc?: string;
  /** Connect parameters in the order in which they are written. */
  readonly parameters?: readonly (readonly [key: string, value: string])[];
}

export interface ConnectScalar extends ConnectBase {
  readonly type: 'int8' | 'int16' | 'int32' | 'int64' | 'float32' | 'float64' | 'boolean' | 'string' | 'bytes';
}

export interface ConnectArray extends ConnectBase {
  readonly type: 'array';
  readonly items: ConnectSchema;
  readonly itemsOptional: boolean;
}

/** A map with string keys. */
export interface ConnectMap extends ConnectBase {
  readonly type: 'map';
  readonly values: ConnectSchema;
  readonly valuesOptional: boolean;
}

export interface ConnectStruct extends ConnectBase {
  readonly type: 'struct';
  /** Every struct that reaches a topic has a name. */
  readonly name: string;
  readonly fields: readonly ConnectField[];
}

export interface ConnectField {
  readonly name: string;
  readonly schema: ConnectSchema;
  readonly optional: boolean;
  /** Absent means "no default"; an optional field without default still has Avro's `"default": null`. */
  readonly default?: SchemaDefault;
}

/** Writes the default through the same calls that the column's codec would make. */
export interface SchemaDefault {
  write(out: import('./value-writer.ts').ValueWriter): void;
}
