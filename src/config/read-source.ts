import { z } from 'zod';
import type { SourceConnector } from '../core/connector.ts';
import { Secret } from '../core/secret.ts';
import type { SourceSettings } from '../core/settings.ts';
import { checkSection, unknownSetting } from './check-section.ts';
import { anyDatabaseShape, DATABASE_SHAPES } from './database-settings.ts';
import { translateDebezium } from './debezium.ts';
import type { Path, Problem } from './problem.ts';
import { type CommonSourceSettings, SOURCE_TYPES, sourceSchema, sourceShape } from './source.ts';

/** What reading a configuration needs of a connector. */
// biome-ignore lint/suspicious/noExplicitAny: the parsed configuration and its positions are the connector's own affair.
export type ConfigParser = Pick<SourceConnector<any, any>, 'parseConfig'>;

/** Connectors by the `type` of a source, loaded when a source needs them. */
export type ConnectorCatalogue = Readonly<Record<string, () => Promise<ConfigParser>>>;

/**
 * Reads one item of `sources`. Adds every problem to `problems`, those that the connector finds too; it is not asked where
 * `connectors` is null.
 */
export async function readSource(
  written: unknown,
  path: Path,
  connectors: ConnectorCatalogue | null,
  problems: Problem[],
): Promise<SourceSettings | undefined> {
  if (typeof written !== 'object' || written === null || Array.isArray(written)) {
    problems.push({
      path,
      message: 'is not a section',
      remedy: 'Write the settings of a source, each on its own line.',
    });
    return undefined;
  }
  const { debezium, ...own } = written as Record<string, unknown>;
  const translated = debezium === undefined ? null : translateDebezium(debezium, own);
  const found: Problem[] = [...(translated?.problems ?? [])];

  const { common, database } = split(translated?.section ?? own, found);
  // A connector class without counterpart leaves the type open: one complaint is enough.
  if (found.some((problem) => problem.path[1] === 'connector.class')) common.type ??= SOURCE_TYPES[0];
  const settings = checkSection(sourceSchema, common, [], found);
  const connector = readDatabase(database, common.type, found);
  const source = settings === undefined ? undefined : { ...settings, connector };
  const type = typeof common.type === 'string' ? common.type : '';
  // Without the URL a connector would miss everything that is in it.
  const isAskable = !found.some((problem) => problem.path[0] === 'url');
  if (connectors !== null && isAskable && Object.hasOwn(connectors, type)) {
    const parser = await connectors[type]!();
    // Although something else is wrong, the connector's part is looked at, so that every problem is named at once.
    const stand = source ?? { ...standIn(type), connector };
    const parsed = parser.parseConfig(stand);
    if (!parsed.ok) found.push(...withoutRepetition(parsed.problems.map(problemOfConnector), found));
  }

  for (const problem of found) problems.push({ ...problem, path: [...path, ...origin(problem.path, translated)] });
  return found.length === 0 ? source : undefined;
}

/** The settings that every source has, and those of its database. */
function split(section: Readonly<Record<string, unknown>>, problems: Problem[]) {
  const shape = databaseShape(section.type);
  const names = [...Object.keys(sourceShape), ...Object.keys(shape), 'debezium'];
  const common: Record<string, unknown> = {};
  const database: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(section)) {
    if (Object.hasOwn(sourceShape, name)) common[name] = value;
    else if (Object.hasOwn(shape, name)) database[name] = value;
    else problems.push(unknownSetting([name], names));
  }
  return { common, database };
}

function databaseShape(type: unknown): z.ZodRawShape {
  const known = typeof type === 'string' && Object.hasOwn(DATABASE_SHAPES, type);
  return (known ? DATABASE_SHAPES[type] : undefined) ?? anyDatabaseShape;
}

/**
 * The database's settings for its connector, as written but for this: secrets are wrapped, durations are milliseconds, and
 * a number or flag that came as text from a variable is one again.
 */
function readDatabase(
  database: Readonly<Record<string, unknown>>,
  type: unknown,
  problems: Problem[],
): Record<string, unknown> {
  const shape = databaseShape(type);
  return Object.fromEntries(
    Object.entries(database).map(([name, value]) => {
      const read = readSetting(shape[name]!, value, [name], problems);
      return [isDuration(shape[name]) ? `${name}_ms` : name, read];
    }),
  );
}

function isDuration(schema: z.core.$ZodType | undefined): boolean {
  return schema !== undefined && metaOf(schema)?.['x-unit'] === 'duration';
}

function metaOf(schema: z.core.$ZodType): Record<string, unknown> | undefined {
  return z.globalRegistry.get(schema instanceof z.ZodOptional ? schema.def.innerType : schema);
}

function readSetting(schema: z.core.$ZodType, value: unknown, path: Path, problems: Problem[]): unknown {
  const inner = schema instanceof z.ZodOptional ? schema.def.innerType : schema;
  if (inner instanceof z.ZodObject) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
    return Object.fromEntries(
      Object.entries(value).map(([name, item]) => {
        const below = Object.hasOwn(inner.shape, name) ? inner.shape[name] : undefined;
        if (below === undefined) problems.push(unknownSetting([...path, name], Object.keys(inner.shape)));
        return [name, below === undefined ? item : readSetting(below, item, [...path, name], problems)];
      }),
    );
  }
  const before = problems.length;
  const read: unknown = checkSection(inner as z.ZodType, value, path, problems);
  const isSecret = metaOf(inner)?.writeOnly === true;
  if (problems.length > before) return isSecret ? new Secret('') : value;
  // Other text stays as written: a file's name is not its contents, which the connector reads itself.
  return isSecret || typeof read === 'number' || typeof read === 'boolean' ? read : value;
}

/** Valid common settings, for a connector to judge its own part beside them. */
function standIn(type: string): CommonSourceSettings {
  return { ...sourceSchema.parse({ name: 'unnamed', type: 'postgres', snapshot: { mode: 'no_data' } }), type };
}

function problemOfConnector(problem: { path: string; message: string }): Problem {
  const path = problem.path
    .replace(/_ms$/, '')
    .split(/[.[\]]+/)
    .filter((step) => step !== '');
  const message = problem.message.replace(/[.\s]+$/, '');
  return {
    path: path.map((step) => (/^\d+$/.test(step) ? Number(step) : step)),
    message,
    remedy: 'See docs/configuration.md.',
  };
}

function withoutRepetition(problems: readonly Problem[], known: readonly Problem[]): Problem[] {
  const paths = new Set(known.map((problem) => problem.path.join('.')));
  return problems.filter((problem) => !paths.has(problem.path.join('.')));
}

/** The place in the file of a setting that was translated: the Debezium property it came from. */
function origin(path: Path, translated: ReturnType<typeof translateDebezium> | null): Path {
  if (translated === null || path[0] === 'debezium') return path;
  for (let length = path.length; length > 0; length--) {
    const property = translated.origins.get(path.slice(0, length).join('.'));
    if (property !== undefined) return ['debezium', property];
  }
  return path;
}
