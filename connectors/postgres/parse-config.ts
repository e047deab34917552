import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { ConfigProblem, ParsedConfig } from '../../src/core/connector.ts';
import { Secret } from '../../src/core/secret.ts';
import type { SourceSettings } from '../../src/core/settings.ts';
import type { ConnectionConfig, PostgresConfig, TlsMode } from './config.ts';
import { applyUrl } from './connection-url.ts';

const TLS_MODES = ['disable', 'prefer', 'require', 'verify-ca', 'verify-full'] as const satisfies readonly TlsMode[];

const secretText = z.union([z.string(), z.instanceof(Secret)]);
const wholeNumber = (minimum: number, maximum: number) => z.coerce.number().int().min(minimum).max(maximum);

const tlsSection = z.strictObject({
  mode: z.enum(TLS_MODES).optional(),
  ca_file: z.string().min(1).optional(),
  cert_file: z.string().min(1).optional(),
  key_file: z.string().min(1).optional(),
});

const section = z.strictObject({
  url: secretText.optional(),
  host: z.string().min(1).optional(),
  port: wholeNumber(1, 65_535).optional(),
  user: z.string().min(1).optional(),
  password: secretText.optional(),
  database: z.string().min(1).optional(),
  tls: tlsSection.prefault({}),
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
  connect_timeout_ms: wholeNumber(100, 600_000).default(10_000),
  query_timeout_ms: wholeNumber(100, 3_600_000).default(30_000),
});

type Section = z.infer<typeof section>;

/** Validates the Postgres part of a source. Every problem is reported at once, with its path, without its value. */
export function parsePostgresConfig(source: SourceSettings): ParsedConfig<PostgresConfig> {
  const parsed = section.safeParse(source.connector);
  if (!parsed.success) return { ok: false, problems: parsed.error.issues.flatMap(problemOf) };
  const problems: ConfigProblem[] = [];
  const connection = connectionOf(parsed.data, problems);
  const slotName = parsed.data.slot.name ?? defaultName(source.name);
  if (problems.length > 0 || connection === null) return { ok: false, problems };
  const { types, slot } = parsed.data;
  return {
    ok: true,
    value: {
      source,
      connection,
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

function connectionOf(given: Section, problems: ConfigProblem[]): ConnectionConfig | null {
  const merged = given.url === undefined ? given : applyUrl(given, given.url, problems);
  for (const key of ['host', 'user', 'database'] as const) {
    if (merged[key] === undefined) problems.push({ path: key, message: 'is required; set it, or set url' });
  }
  const mode = merged.tls.mode ?? 'prefer';
  const verifies = mode === 'verify-ca' || mode === 'verify-full';
  if (!verifies && merged.tls.ca_file !== undefined) {
    problems.push({ path: 'tls.mode', message: 'ca_file has no effect unless mode is verify-ca or verify-full' });
  }
  if ((merged.tls.cert_file === undefined) !== (merged.tls.key_file === undefined)) {
    problems.push({ path: 'tls', message: 'cert_file and key_file belong together; set both or none' });
  }
  const ca = readTlsFile(merged.tls.ca_file, 'tls.ca_file', problems);
  const cert = readTlsFile(merged.tls.cert_file, 'tls.cert_file', problems);
  const key = readTlsFile(merged.tls.key_file, 'tls.key_file', problems);
  if (problems.length > 0) return null;
  return {
    host: merged.host as string,
    port: merged.port ?? 5432,
    user: merged.user as string,
    database: merged.database as string,
    password: typeof merged.password === 'string' ? new Secret(merged.password) : (merged.password ?? null),
    tls: { mode, ca, cert, key: key === null ? null : new Secret(key) },
    connectTimeoutMs: given.connect_timeout_ms,
    queryTimeoutMs: given.query_timeout_ms,
  };
}

function readTlsFile(path: string | undefined, setting: string, problems: ConfigProblem[]): string | null {
  if (path === undefined) return null;
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    problems.push({ path: setting, message: `the file ${path} cannot be read (${code})` });
    return null;
  }
}

function problemOf(issue: z.core.$ZodIssue): ConfigProblem[] {
  const path = issue.path.join('.');
  if (issue.code !== 'unrecognized_keys') return [{ path, message: issue.message }];
  return issue.keys.map((key) => ({
    path: path === '' ? key : `${path}.${key}`,
    message: 'is not a setting of a postgres source; remove it or correct its name',
  }));
}
