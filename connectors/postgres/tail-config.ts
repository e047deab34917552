import type { TailTarget } from '../../src/core/connector.ts';
import { requireTailable, tailSettings } from '../../src/core/live-tail.ts';
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
  const settings = tailSettings('postgres', 'tail', target, {
    types: READABLE_TYPES,
    slot: { name, publication: name },
    // Rows of a partition are those of the table that people know.
    publish_via_partition_root: true,
  });
  return requireTailable(
    parsePostgresConfig(settings),
    'POSTGRES_URL_INVALID',
    'Write postgres://user:password@host:5432/database, and ?sslmode=require or the like after it.',
  );
}
