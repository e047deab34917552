import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { readConnection } from '../../src/core/connection-settings.ts';
import type { ParsedConfig } from '../../src/core/connector.ts';
import type { SourceSettings } from '../../src/core/settings.ts';
import { problemsOf } from '../../src/core/settings-issue.ts';
import type { MySqlConfig } from './config.ts';
import { MYSQL_URL } from './connection-url.ts';
import type { Dialect } from './mysql-type.ts';

const DEFAULT_PORT = 3306;
/** Ids that are derived from names lie from here on, where people seldom number their servers. */
const FIRST_DERIVED_ID = 0x4000_0000;

const wholeNumber = (minimum: number, maximum: number) => z.coerce.number().int().min(minimum).max(maximum);

const section = z.strictObject({
  server_id: wholeNumber(1, 0xffff_ffff).optional(),
  types: z
    .strictObject({
      decimal: z.enum(['precise', 'double', 'string']).default('precise'),
      time: z
        .enum(['adaptive_time_microseconds', 'microseconds', 'nanoseconds', 'connect', 'isostring'], {
          error:
            'is not a mode of MySQL that is built: adaptive_time_microseconds, microseconds, nanoseconds, connect, isostring are',
        })
        .default('adaptive_time_microseconds'),
      binary: z.enum(['bytes', 'base64', 'base64-url-safe', 'hex']).default('bytes'),
      bigint_unsigned: z.enum(['long', 'precise']).default('long'),
    })
    .prefault({}),
  include_schema_changes: z.boolean().default(true),
  include_query: z.boolean().default(false),
  include_schema_comments: z.boolean().optional(),
});

/** Validates the MySQL part of a source. Every problem is reported at once, with its path, without its value. */
export function parseMySqlConfig(dialect: Dialect, source: SourceSettings): ParsedConfig<MySqlConfig> {
  const form = { type: dialect, url: MYSQL_URL, defaultPort: DEFAULT_PORT, required: ['host', 'user'] } as const;
  const { connection, problems, others } = readConnection(source.connector, form, (path) => readFileSync(path, 'utf8'));
  const parsed = section.safeParse(others);
  if (!parsed.success || connection === null) {
    return { ok: false, problems: [...problems, ...(parsed.success ? [] : problemsOf(parsed.error.issues, dialect))] };
  }
  const { types, server_id: serverId, include_schema_changes, include_query } = parsed.data;
  return {
    ok: true,
    value: {
      source,
      dialect,
      connection,
      types: {
        decimal: types.decimal,
        time: types.time,
        binary: types.binary,
        bigintUnsigned: types.bigint_unsigned,
        comments: parsed.data.include_schema_comments ?? dialect === 'mariadb',
        unavailablePlaceholder: source.unavailablePlaceholder,
      },
      serverId: serverId ?? derivedServerId(source.name),
      includeSchemaChanges: include_schema_changes,
      includeQuery: include_query,
    },
  };
}

/** The same for the same name, and hardly ever that of another source or server. */
function derivedServerId(name: string): number {
  const hash = createHash('sha256').update(`tailrace ${name}`).digest().readUInt32BE(0);
  return FIRST_DERIVED_ID + (hash % 0x4000_0000);
}
