import type { SourceType } from '../../src/core/table.ts';
import type { MySqlType } from './mysql-type.ts';

/** Longest character of a set in bytes: CHAR and VARCHAR are logged by bytes and declared by characters. */
const DECLARED_LENGTH = /^[a-z]+\((\d+)(?:,(\d+))?\)/;

/** The declared type as `column.propagate.source.type` tells it: upper case, a length only where one is declared. */
export function sourceTypeOf(type: MySqlType): SourceType {
  const declared = type.declared ?? '';
  const name = declared.replace(/\(.*\)/, '');
  if (type.labels !== null)
    return { typeName: name.toUpperCase(), length: labelsLength(name, type.labels.length), scale: null };
  const parts = DECLARED_LENGTH.exec(declared);
  return {
    typeName: name.toUpperCase(),
    length: parts === null ? null : Number(parts[1]),
    scale: parts?.[2] === undefined ? null : Number(parts[2]),
  };
}

/** An ENUM has one character for Debezium; a SET one for each label and the commas between them. */
export function labelsLength(typeName: string, labels: number): number {
  return typeName === 'set' ? Math.max(0, labels * 2 - 1) : 1;
}
