import type { PostgresDatabase } from './postgres-database.ts';

/** A source of the configuration that captures schema `public` of the database; slot and publication have its name. */
export function testSource(
  name: string,
  database: Pick<PostgresDatabase, 'url'>,
  more: Readonly<Record<string, unknown>> = {},
): Record<string, unknown> {
  return {
    name,
    type: 'postgres',
    url: database.url,
    tables: { include: ['public\\..*'] },
    snapshot: { mode: 'no_data' },
    slot: { name, publication: name },
    ...more,
  };
}
