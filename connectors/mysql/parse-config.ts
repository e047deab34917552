import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { ConfigProblem, ParsedConfig } from '../../src/core/connector.ts';
import { Secret } from '../../src/core/secret.ts';
import type { SourceSettings } from '../../src/core/settings.ts';
import type { ConnectionConfig, MySqlConfig, TlsMode } from './config.ts';
import { applyUrl } from './connection-url.ts';
import type { Dialect } from './mysql-type.ts';

const TLS_MODES = ['disable', 'prefer', 'require', 'verify-ca', 'verify-full'] as const satisfies readonly TlsMode[];
const DEFAULT_PORT = 3306;
/** Ids that are derived from names lie from here on, where people seldom number their servers. */
const FIRST_DERIVED_ID = 0x4000_0000;

const secretText = z.union([z.string(), z.instanceof(Secret)]);
const wholeNumber = (minimum: number, maximum: number) => z.coerce.number().int().min(minimum).max(maximum);

const section = z.strictObject({
  url: secretText.optional(),
  host: z.string().min(1).optional(),
  port: wholeNumber(1, 65_535).optional(),
  user: z.string().min(1).optional(),
  password: secretText.optional(),
  database: z.string().min(1).optional(),
  tls: z
    .strictObject({
      mode: z.enum(TLS_MODES).optional(),
      ca_file: z.string().min(1).optional(),
      cert_file: z.string().min(1).optional(),
      key_file: z.string().min(1).optional(),
    })
    .prefault({}),
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
  connect_timeout_ms: wholeNumber(100, 600_000).default(10_000),
  query_timeout_ms: wholeNumber(100, 3_600_000).default(30_000),
});

type Section = z.infer<typeof section>;

/** Validates the MySQL part of a source. Every problem is reported at once, with its path, without its value. */
export function parseMySqlConfig(dialect: Dialect, source: SourceSettings): ParsedConfig<MySqlConfig> {
  const parsed = section.safeParse(source.connector);
  if (!parsed.success)
    return { ok: false, problems: parsed.error.issues.flatMap((issue) => problemOf(dialect, issue)) };
  const problems: ConfigProblem[] = [];
  const connection = connectionOf(parsed.data, problems);
  if (problems.length > 0 || connection === null) return { ok: false, problems };
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

function connectionOf(given: Section, problems: ConfigProblem[]): ConnectionConfig | null {
  const merged = given.url === undefined ? given : applyUrl(given, given.url, problems);
  for (const key of ['host', 'user'] as const) {
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
    port: merged.port ?? DEFAULT_PORT,
    user: merged.user as string,
    database: merged.database ?? null,
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

function problemOf(dialect: Dialect, issue: z.core.$ZodIssue): ConfigProblem[] {
  const path = issue.path.join('.');
  if (issue.code !== 'unrecognized_keys') return [{ path, message: issue.message }];
  return issue.keys.map((key) => ({
    path: path === '' ? key : `${path}.${key}`,
    message: `is not a setting of a ${dialect} source; remove it or correct its name`,
  }));
}
