import { shortHash } from '../../src/core/short-hash.ts';
import { type Column, keyIndexes } from '../../src/core/table.ts';
import { columnCodec, sourceTypeOf } from './column-codecs.ts';
import { columnDefault } from './column-default.ts';
import type { TypeModes } from './pg-type.ts';
import type { RelationMessage } from './protocol/pgoutput-messages.ts';
import type { RelationFacts } from './relation-facts.ts';
import { PgTableVersion } from './table-version.ts';

/** Makes a table version of nothing but its arguments, so that a replay makes the same one. */
export function buildTableVersion(
  database: string,
  relation: RelationMessage,
  layout: string,
  facts: RelationFacts,
  modes: TypeModes,
): PgTableVersion {
  const columns: Column[] = [];
  const positions = new Int32Array(relation.columns.length).fill(-1);
  const identity = new Uint8Array(relation.columns.length);
  relation.columns.forEach((column, index) => {
    identity[index] = column.isKey ? 1 : 0;
    const known = facts.columns[index];
    if (known === undefined) return;
    const codec = columnCodec(known.type, column.typmod, modes);
    if (codec === null) return;
    positions[index] = columns.length;
    columns.push({
      name: column.name,
      codec,
      nullable: known.nullable,
      default: columnDefault(codec, known.type, column.typmod, known.defaultExpression, known.nullable, modes),
      sourceType: sourceTypeOf(known.type, column.typmod, known.defaultExpression),
    });
  });
  return new PgTableVersion({
    id: { database, schema: relation.schema, name: relation.name },
    fingerprint: shortHash(layout, JSON.stringify(facts)),
    columns,
    key: keyIndexes(columns, facts.key),
    positions,
    identity,
  });
}

/** Hash of a Relation message: equal layouts have equal bytes. */
export function layoutOf(bytes: Buffer, start: number, end: number): string {
  return shortHash(bytes.subarray(start, end));
}
