/** A DDL statement as a record of the schema-change topic tells it. Lies between transactions; a heartbeat follows it. */
export interface SchemaChange {
  readonly databaseName: string;
  /** The table that the source block names; null for a statement about a database, empty where Debezium leaves it so. */
  readonly tableName: string | null;
  readonly ddl: string;
  /** What the statement left of each table it named; empty where it is about none (an index, a database). */
  readonly changes: readonly TableChange[];
}

export interface TableChange {
  readonly type: 'CREATE' | 'ALTER' | 'DROP';
  /** Debezium's form of the name: `"inventory"."customers"`. */
  readonly id: string;
  /** Null for a dropped table. */
  readonly table: TableDescription | null;
}

export interface TableDescription {
  readonly defaultCharsetName: string | null;
  readonly primaryKeyColumnNames: readonly string[];
  readonly columns: readonly ColumnDescription[];
  readonly comment: string | null;
}

export interface ColumnDescription {
  readonly name: string;
  /** `java.sql.Types`. */
  readonly jdbcType: number;
  readonly nativeType: number | null;
  readonly typeName: string;
  readonly typeExpression: string | null;
  readonly charsetName: string | null;
  readonly length: number | null;
  readonly scale: number | null;
  /** From 1 on. */
  readonly position: number;
  readonly optional: boolean;
  readonly autoIncremented: boolean;
  readonly generated: boolean;
  readonly comment: string | null;
  readonly defaultValueExpression: string | null;
  readonly enumValues: readonly string[] | null;
}
