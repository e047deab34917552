import { ignoringCase, splitPatterns } from './debezium-patterns.ts';
import type { Problem } from './problem.ts';

export interface TablePatterns {
  readonly settings: readonly {
    readonly setting: 'tables.include' | 'tables.exclude' | 'columns.exclude';
    readonly patterns: readonly string[];
    readonly property: string;
  }[];
  readonly problems: readonly Problem[];
}

/** The properties that only together say what is captured; each pair excludes the other, as in Debezium. */
export const CAPTURE_PROPERTIES = [
  'schema.include.list',
  'schema.exclude.list',
  'database.include.list',
  'database.exclude.list',
  'table.include.list',
  'table.exclude.list',
  'column.include.list',
  'column.exclude.list',
] as const;

/**
 * Debezium captures a table that passes its schema lists *and* its table lists, and leaves out a column that passes
 * `column.exclude.list` or fails `column.include.list`. Our patterns are alternatives, so a conjunction becomes a
 * lookahead.
 */
export function tablePatterns(properties: ReadonlyMap<string, string>): TablePatterns {
  const lists = new Map(
    CAPTURE_PROPERTIES.map((property) => [property, splitPatterns(properties.get(property) ?? '').map(ignoringCase)]),
  );
  const patternsOf = (property: (typeof CAPTURE_PROPERTIES)[number]) => lists.get(property)!;
  const problems: Problem[] = [];
  for (const kind of ['schema', 'database', 'table', 'column'] as const) {
    if (patternsOf(`${kind}.include.list`).length > 0 && patternsOf(`${kind}.exclude.list`).length > 0) {
      problems.push({
        path: ['debezium', `${kind}.exclude.list`],
        message: `contradicts ${kind}.include.list`,
        remedy: 'Remove one of the two; as in Debezium they exclude each other.',
      });
    }
  }
  const settings: TablePatterns['settings'][number][] = [];
  // What comes before the table's name: a schema on Postgres, a database on MySQL and MariaDB.
  const qualifier = patternsOf('database.include.list').length > 0 ? 'database' : 'schema';
  const schemas = patternsOf(`${qualifier}.include.list`);
  const tables = patternsOf('table.include.list');
  if (tables.length > 0) {
    const inSchema = schemas.length === 0 ? '' : `(?=(?:${schemas.join('|')})\\.)`;
    const patterns = tables.map((pattern) => inSchema + pattern);
    settings.push({ setting: 'tables.include', patterns, property: 'table.include.list' });
  } else if (schemas.length > 0) {
    const patterns = schemas.map((pattern) => `${pattern}\\..*`);
    settings.push({ setting: 'tables.include', patterns, property: `${qualifier}.include.list` });
  }
  for (const property of ['schema.exclude.list', 'database.exclude.list'] as const) {
    const patterns = patternsOf(property).map((pattern) => `${pattern}\\..*`);
    if (patterns.length > 0) settings.push({ setting: 'tables.exclude', patterns, property });
  }
  if (patternsOf('table.exclude.list').length > 0) {
    const patterns = patternsOf('table.exclude.list');
    settings.push({ setting: 'tables.exclude', patterns, property: 'table.exclude.list' });
  }
  if (patternsOf('column.exclude.list').length > 0) {
    const patterns = patternsOf('column.exclude.list');
    settings.push({ setting: 'columns.exclude', patterns, property: 'column.exclude.list' });
  }
  if (patternsOf('column.include.list').length > 0) {
    const patterns = [`(?!(?:${patternsOf('column.include.list').join('|')})$).*`];
    settings.push({ setting: 'columns.exclude', patterns, property: 'column.include.list' });
  }
  return { settings, problems };
}
