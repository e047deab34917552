import type { TailTarget } from '../../src/core/connector.ts';
import { ConfigurationError } from '../../src/core/errors.ts';
import type { SourceSettings } from '../../src/core/settings.ts';
import type { PostgresConfig } from './config.ts';
import { parsePostgresConfig } from './parse-config.ts';

/** Values as people write them; nothing is left out, large values that the log lacks are left out of the row. */
const READABLE_TYPES = {
  decimal: 'string',
  time: 'isostring',
  binary: 'hex',
  interval: 'string',
  hstore: 'map',
  unknown: 'include',
} as const;

/**
 * The configuration of a tail: what a source of this name would have, from nothing but a URL.
 * @param name of the slot and of the publication.
 * @throws ConfigurationError naming every problem of the URL, without repeating it: it may hold a password.
 */
export function tailConfig(target: TailTarget, name: string): PostgresConfig {
  const parsed = parsePostgresConfig({
    ...NO_RULES,
    name: 'tail',
    type: 'postgres',
    topicPrefix: 'tail',
    tables: { include: target.tables, exclude: [] },
    connector: {
      url: target.url,
      types: READABLE_TYPES,
      slot: { name, publication: name },
      // Rows of a partition are those of the table that people know.
      publish_via_partition_root: true,
    },
  });
  if (parsed.ok) return parsed.value;
  const problems = parsed.problems.map(({ path, message }) => `${path} ${message}`).join('; ');
  throw new ConfigurationError(`The database URL cannot be used: ${problems}.`, {
    code: 'POSTGRES_URL_INVALID',
    remedy: 'Write postgres://user:password@host:5432/database, and ?sslmode=require or the like after it.',
  });
}

const NO_RULES: Omit<SourceSettings, 'name' | 'type' | 'topicPrefix' | 'tables' | 'connector'> = {
  columns: { exclude: [], mask: [], hash: [], truncate: [], propagateSourceType: [] },
  messageKeys: [],
  snapshotMode: 'no_data',
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
};
