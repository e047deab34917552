import type { ParsedConfig, TailTarget } from './connector.ts';
import { ConfigurationError } from './errors.ts';
import type { SourceSettings } from './settings.ts';

/** The settings of a source that is only looked at: no rules, no records, nothing kept. `connector` is the connector's own. */
export function tailSettings(
  type: string,
  name: string,
  target: TailTarget,
  connector: SourceSettings['connector'],
): SourceSettings {
  return {
    name,
    type,
    topicPrefix: 'tail',
    tables: { include: target.tables, exclude: [] },
    columns: { exclude: [], mask: [], hash: [], truncate: [], propagateSourceType: [] },
    messageKeys: [],
    snapshot: { mode: 'no_data', blocking: false, deletePass: false, chunkRows: 1, parallelism: 1, where: [] },
    signals: { table: null, topic: null },
    notifications: { topic: null },
    heartbeatIntervalMs: 0,
    heartbeatTopic: false,
    extendedHeaders: false,
    tombstonesOnDelete: false,
    transactionMetadata: false,
    skippedOperations: new Set(),
    onPoison: 'fail',
    schemaNameAdjustment: 'none',
    fieldNameAdjustment: 'none',
    unavailablePlaceholder: '',
    connector: { url: target.url, ...connector },
  };
}

/** @throws ConfigurationError naming every problem of the URL, without repeating it: it may hold a password. */
export function requireTailable<C>(parsed: ParsedConfig<C>, code: string, remedy: string): C {
  if (parsed.ok) return parsed.value;
  const problems = parsed.problems.map(({ path, message }) => `${path} ${message}`).join('; ');
  throw new ConfigurationError(`The database URL cannot be used: ${problems}.`, { code, remedy });
}
