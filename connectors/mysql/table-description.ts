import type { ColumnDescription, TableDescription } from '../../src/core/schema-change.ts';
import type { CatalogColumn, CatalogTable } from './catalog-column.ts';
import { declaredLabels } from './column-type.ts';
import type { Dialect } from './mysql-type.ts';
import { labelsLength } from './source-type.ts';

/** `java.sql.Types` by the declared type, as Debezium's parser gives them. */
const JDBC_TYPES: Readonly<Record<string, number>> = {
  tinyint: 5,
  smallint: 5,
  mediumint: 4,
  int: 4,
  bigint: -5,
  float: 6,
  double: 8,
  decimal: 3,
  bit: -7,
  year: 4,
  date: 91,
  time: 92,
  datetime: 93,
  timestamp: 2014,
  char: 1,
  varchar: 12,
  tinytext: 12,
  text: 12,
  mediumtext: 12,
  longtext: 12,
  binary: -2,
  varbinary: -3,
  tinyblob: 2004,
  blob: 2004,
  mediumblob: 2004,
  longblob: 2004,
  json: 1111,
  enum: 1,
  set: 1,
};
const OTHER_TYPE = 1111;

/** A table as Debezium's records of schema changes describe it. */
export function describeTable(catalog: CatalogTable, dialect: Dialect, comments: boolean): TableDescription {
  return {
    defaultCharsetName: catalog.defaultCharset,
    primaryKeyColumnNames: catalog.primaryKey,
    columns: catalog.columns.map((column, index) => describeColumn(column, index, dialect, comments)),
    comment: null,
  };
}

function describeColumn(column: CatalogColumn, index: number, dialect: Dialect, comments: boolean): ColumnDescription {
  const [name = ''] = /^[a-z]+/.exec(column.columnType) ?? [];
  const isLabelled = name === 'enum' || name === 'set';
  const size = isLabelled ? null : /^[a-z]+\((\d+)(?:,(\d+))?\)/.exec(column.columnType);
  const labels = isLabelled ? declaredLabels(column.columnType) : [];
  const words = column.columnType.replace(/\(.*\)/, '').toUpperCase();
  return {
    name: column.name,
    jdbcType: JDBC_TYPES[name] ?? OTHER_TYPE,
    nativeType: null,
    typeName: words,
    typeExpression: words,
    charsetName: column.charset,
    length: isLabelled ? labelsLength(name, labels.length) : size === null ? null : Number(size[1]),
    scale: size?.[2] === undefined ? null : Number(size[2]),
    position: index + 1,
    optional: column.nullable,
    autoIncremented: column.extra.includes('auto_increment'),
    generated: /\b(virtual|stored|persistent) generated\b|\bgenerated\b(?<!default_generated)/.test(column.extra),
    comment: !comments || column.comment === '' ? null : column.comment,
    defaultValueExpression: literalOf(column, dialect),
    enumValues: isLabelled ? labels.map((label) => `'${label}'`) : null,
  };
}

/** MariaDB puts quotes around what is a literal, NULL is none. */
function literalOf({ default: expression }: CatalogColumn, dialect: Dialect): string | null {
  if (expression === null || dialect === 'mysql') return expression;
  if (expression === 'NULL') return null;
  const quoted = /^'(.*)'$/s.exec(expression);
  return quoted === null ? expression : (quoted[1] ?? '').replaceAll("''", "'");
}
