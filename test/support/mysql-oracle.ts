import { AvroDecoder } from './avro-decoder.ts';
import type { MysqlDatabase } from './mysql-database.ts';
import { MYSQL_WORKLOAD_TABLES } from './mysql-workload.ts';
import { readTopics } from './topic-reader.ts';

export interface MysqlVerdict {
  readonly problems: readonly string[];
  readonly records: number;
  /** Versions that were told again. */
  readonly repeated: number;
}

interface Envelope {
  readonly op: string;
  readonly before: Record<string, unknown> | null;
  readonly after: Record<string, unknown> | null;
}

/**
 * Folds the topics of a workload: what is left must be the tables, and the versions of each key must come without a gap. A
 * key may step back only to versions that were told before (a replay).
 */
export async function verifyMysqlWorkload(database: MysqlDatabase, prefix: string): Promise<MysqlVerdict> {
  const decoder = new AvroDecoder();
  const problems: string[] = [];
  let records = 0;
  let repeated = 0;
  for (const table of MYSQL_WORKLOAD_TABLES) {
    const folded = new Map<string, Record<string, unknown>>();
    const newest = new Map<string, number>();
    for (const { key, value } of await readTopics([`${prefix}.${database.name}.${table}`])) {
      records += 1;
      const id = String(((await decoder.decode(key)) as { id: unknown }).id);
      if (value === null) continue;
      const { op, after } = (await decoder.decode(value)) as Envelope;
      if (op === 'd') {
        folded.delete(id);
        continue;
      }
      const version = Number(after!.v);
      const known = newest.get(id) ?? 0;
      if (version > known + 1) problems.push(`${table} ${id}: version ${version} after ${known}`);
      if (version <= known) repeated += 1;
      newest.set(id, Math.max(known, version));
      folded.set(id, after!);
    }
    const rows = await database.query<Record<string, unknown>>('SELECT * FROM ??', [table]);
    const stored = new Map(rows.map((row) => [String(row.id), row]));
    for (const [id, row] of stored) {
      const version = folded.get(id)?.v;
      if (Number(version) !== Number(row.v))
        problems.push(`${table} ${id}: the table has version ${row.v}, the topic ${version}`);
      // Columns that came while rows were written, each with a default of its own: a wrong name shows here.
      for (const [name, value] of Object.entries(folded.get(id) ?? {})) {
        if (name.startsWith('x_') && name in row && value !== row[name])
          problems.push(`${table} ${id}: ${name} is ${row[name]} in the table, ${value} in the topic`);
      }
    }
    for (const id of folded.keys())
      if (!stored.has(id)) problems.push(`${table} ${id}: in the topic, not in the table`);
  }
  return { problems, records, repeated };
}
