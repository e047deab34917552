import type { RowEncoder } from '../avro/row-encoder.ts';
import type { ToleratedColumn } from './row-states.ts';

/** Columns of which another writer of the topic is known to publish something else than the table has. */
export function toleratedColumns({ shape }: RowEncoder, tolerate: 'debezium' | null): readonly ToleratedColumn[] {
  if (tolerate === null) return [];
  return shape.value.flatMap(({ column }, at): ToleratedColumn[] => {
    // A column with a default shows the default where it is NULL; a `name` is NULL while streaming.
    if (column.nullable && column.default !== null) return [{ at, as: 'default' }];
    return column.nullable && column.sourceType.typeName.toLowerCase() === 'name' ? [{ at, as: 'null' }] : [];
  });
}
