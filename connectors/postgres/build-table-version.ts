import { createHash } from 'node:crypto';
import type { Column } from '../../src/core/table.ts';
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
    fingerprint: fingerprintOf(layout, facts),
    columns,
    key: keyIndexes(columns, facts.key),
    positions,
    identity,
  });
}

/** Hash of a Relation message: equal layouts have equal bytes. */
export function layoutOf(bytes: Buffer, start: number, end: number): string {
  return createHash('sha256').update(bytes.subarray(start, end)).digest('hex').slice(0, 32);
}

function fingerprintOf(layout: string, facts: RelationFacts): string {
  return createHash('sha256').update(layout).update(JSON.stringify(facts)).digest('hex').slice(0, 32);
}

/** A key with a column that no codec can write is no key. */
function keyIndexes(columns: readonly Column[], key: readonly string[] | null): readonly number[] | null {
  if (key === null) return null;
  const indexes = key.map((name) => columns.findIndex((column) => column.name === name));
  return indexes.includes(-1) ? null : indexes;
}
