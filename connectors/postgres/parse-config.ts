import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { type ConnectionForm, readConnection } from '../../src/core/connection-settings.ts';
import type { ParsedConfig } from '../../src/core/connector.ts';
import type { SourceSettings } from '../../src/core/settings.ts';
import { problemsOf } from '../../src/core/settings-issue.ts';
import type { ConnectionConfig, PostgresConfig } from './config.ts';
import { POSTGRES_URL } from './connection-url.ts';

const FORM: ConnectionForm = {
  type: 'postgres',
  url: POSTGRES_URL,
  defaultPort: 5432,
  required: ['host', 'user', 'database'],
};

const wholeNumber = (minimum: number, maximum: number) => z.coerce.number().int().min(minimum).max(maximum);

const section = z.strictObject({
  types: z
    .strictObject({
      decimal: z.enum(['precise', 'double', 'string']).default('precise'),
      time: z
        .enum([
          'adaptive',
          'adaptive_time_microseconds',
          'microseconds',
          'nanoseconds',
          'connect',
          'isostring',
          'structured',
        ])
        .default('adaptive'),
      binary: z.enum(['bytes', 'base64', 'base64-url-safe', 'hex']).default('bytes'),
      interval: z.enum(['numeric', 'string']).default('numeric'),
      hstore: z.enum(['json', 'map']).default('json'),
      unknown: z.enum(['skip', 'include']).default('skip'),
      money_fraction_digits: wholeNumber(0, 10).default(2),
    })
    .prefault({}),
  slot: z
    .strictObject({
      name: z
        .string()
        .regex(/^[a-z0-9_]{1,63}$/, 'a slot name has at most 63 lower-case letters, digits and underscores')
        .optional(),
      // Room for the suffix of the second publication: Postgres cuts names at 63 bytes without a word.
      publication: z.string().min(1).max(51).optional(),
      autocreate: z.enum(['filtered', 'all_tables', 'disabled']).default('filtered'),
      failover: z.boolean().default(false),
    })
    .prefault({}),
  publish_via_partition_root: z.boolean().default(false),
  status_interval_ms: wholeNumber(100, 60_000).default(10_000),
});

/** Validates the Postgres part of a source. Every problem is reported at once, with its path, without its value. */
export function parsePostgresConfig(source: SourceSettings): ParsedConfig<PostgresConfig> {
  const reading = readConnection(source.connector, FORM, (path) => readFileSync(path, 'utf8'));
  const parsed = section.safeParse(reading.others);
  if (!parsed.success || reading.connection === null) {
    const others = parsed.success ? [] : problemsOf(parsed.error.issues, FORM.type);
    return { ok: false, problems: [...reading.problems, ...others] };
  }
  const slotName = parsed.data.slot.name ?? defaultName(source.name);
  const { types, slot } = parsed.data;
  return {
    ok: true,
    value: {
      source,
      // A database is required.
      connection: reading.connection as ConnectionConfig,
      types: {
        decimal: types.decimal,
        time: types.time,
        binary: types.binary,
        interval: types.interval,
        hstore: types.hstore,
        unknown: types.unknown,
        moneyFractionDigits: types.money_fraction_digits,
        unavailablePlaceholder: source.unavailablePlaceholder,
      },
      slot: {
        name: slotName,
        publication: slot.publication ?? defaultName(source.name).slice(0, 51),
        autocreate: slot.autocreate,
        failover: slot.failover,
      },
      publishViaPartitionRoot: parsed.data.publish_via_partition_root,
      statusIntervalMs: parsed.data.status_interval_ms,
    },
  };
}

function defaultName(source: string): string {
  return `tailrace_${source.toLowerCase().replaceAll(/[^a-z0-9_]/g, '_')}`.slice(0, 63);
}
