import { applyUrl, type ConnectionParts, type UrlForm } from './connection-url.ts';
import type { ConfigProblem } from './connector.ts';
import { type DatabaseConnection, TLS_MODES, type TlsMode } from './database-connection.ts';
import { Secret } from './secret.ts';
import { unknownSetting } from './settings-issue.ts';
import { tlsFileProblems } from './tls-files.ts';

/** What differs between databases in how a connection is configured. */
export interface ConnectionForm {
  /** The `type` of the source, for messages. */
  readonly type: string;
  readonly url: UrlForm;
  readonly defaultPort: number;
  readonly required: readonly ('host' | 'user' | 'database')[];
}

export interface ConnectionReading {
  /** Null where there are problems. */
  readonly connection: DatabaseConnection | null;
  readonly problems: readonly ConfigProblem[];
  /** The settings that are not about the connection. */
  readonly others: Readonly<Record<string, unknown>>;
}

const DEFAULT_CONNECT_TIMEOUT_MS = 10_000;
const DEFAULT_QUERY_TIMEOUT_MS = 30_000;

/** A kind of value: `read` gives undefined for what is none. */
interface Kind<T> {
  readonly words: string;
  read(value: unknown): T | undefined;
}

const TEXT: Kind<string> = {
  words: 'text that is not empty',
  read: (value) => (typeof value === 'string' && value !== '' ? value : undefined),
};
const SECRET: Kind<Secret> = {
  words: 'text',
  read: (value) => (value instanceof Secret ? value : typeof value === 'string' ? new Secret(value) : undefined),
};
const TLS_MODE: Kind<TlsMode> = {
  words: `one of ${TLS_MODES.join(', ')}`,
  read: (value) => TLS_MODES.find((mode) => mode === value),
};

function wholeNumber(minimum: number, maximum: number): Kind<number> {
  return {
    words: `a whole number from ${minimum} to ${maximum}`,
    read(value) {
      const number = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value;
      return Number.isSafeInteger(number) && Number(number) >= minimum && Number(number) <= maximum
        ? Number(number)
        : undefined;
    },
  };
}

const SETTINGS: ReadonlySet<string> = new Set([
  'url',
  'host',
  'port',
  'user',
  'password',
  'database',
  'tls',
  'connect_timeout_ms',
  'query_timeout_ms',
]);
const TLS_SETTINGS: ReadonlySet<string> = new Set(['mode', 'ca_file', 'cert_file', 'key_file']);

/**
 * Reads how a source's database is reached: a URL, single settings, or both. Every problem is told at once, with its path
 * and without its value.
 * @param readFile gives the text of a TLS file; what it throws has Node's error code.
 */
export function readConnection(
  given: Readonly<Record<string, unknown>>,
  form: ConnectionForm,
  readFile: (path: string) => string,
): ConnectionReading {
  const problems: ConfigProblem[] = [];
  const field = <T>(kind: Kind<T>, name: string): T | undefined => readField(given, '', name, kind, problems);
  const url = field(SECRET, 'url');
  const written: ConnectionParts = {
    host: field(TEXT, 'host'),
    port: field(wholeNumber(1, 65_535), 'port'),
    user: field(TEXT, 'user'),
    password: field(SECRET, 'password'),
    database: field(TEXT, 'database'),
    tls: readTls(given.tls, form.type, problems),
  };
  const connectTimeoutMs = field(wholeNumber(100, 600_000), 'connect_timeout_ms') ?? DEFAULT_CONNECT_TIMEOUT_MS;
  const queryTimeoutMs = field(wholeNumber(100, 3_600_000), 'query_timeout_ms') ?? DEFAULT_QUERY_TIMEOUT_MS;
  const merged = url === undefined ? written : applyUrl(written, url, form.url, problems);
  // Without the URL everything that is in it would be missing.
  if (merged !== null) requireParts(merged, given, form, problems);
  const tls = resolveTls((merged ?? written).tls, readFile, problems);
  const others = Object.fromEntries(Object.entries(given).filter(([name]) => !SETTINGS.has(name)));
  if (problems.length > 0 || merged === null) return { connection: null, problems, others };
  const { host = '', port = form.defaultPort, user = '', password = null, database = null } = merged;
  return {
    connection: { host, port, user, password, database, tls, connectTimeoutMs, queryTimeoutMs },
    problems,
    others,
  };
}

function readField<T>(
  given: Readonly<Record<string, unknown>>,
  section: string,
  name: string,
  kind: Kind<T>,
  problems: ConfigProblem[],
): T | undefined {
  const value = given[name];
  if (value === undefined) return undefined;
  const read = kind.read(value);
  if (read === undefined) problems.push({ path: `${section}${name}`, message: `must be ${kind.words}` });
  return read;
}

function readTls(given: unknown, type: string, problems: ConfigProblem[]): ConnectionParts['tls'] {
  if (given === undefined) return {};
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    problems.push({ path: 'tls', message: 'must be a section of settings' });
    return {};
  }
  const section = given as Readonly<Record<string, unknown>>;
  for (const name of Object.keys(section)) {
    if (!TLS_SETTINGS.has(name)) problems.push(unknownSetting(`tls.${name}`, type));
  }
  const field = <T>(kind: Kind<T>, name: string): T | undefined => readField(section, 'tls.', name, kind, problems);
  return {
    mode: field(TLS_MODE, 'mode'),
    ca_file: field(TEXT, 'ca_file'),
    cert_file: field(TEXT, 'cert_file'),
    key_file: field(TEXT, 'key_file'),
  };
}

/** What is there and wrong is a problem already. */
function requireParts(
  parts: ConnectionParts,
  given: Readonly<Record<string, unknown>>,
  { required }: ConnectionForm,
  problems: ConfigProblem[],
): void {
  for (const name of required) {
    if (parts[name] === undefined && given[name] === undefined) {
      problems.push({ path: name, message: 'is required; set it, or set url' });
    }
  }
}

function resolveTls(
  { mode = 'prefer', ca_file, cert_file, key_file }: ConnectionParts['tls'],
  readFile: (path: string) => string,
  problems: ConfigProblem[],
): DatabaseConnection['tls'] {
  if (ca_file !== undefined && mode !== 'verify-ca' && mode !== 'verify-full') {
    problems.push({ path: 'tls.mode', message: 'ca_file has no effect unless mode is verify-ca or verify-full' });
  }
  if ((cert_file === undefined) !== (key_file === undefined)) {
    problems.push({ path: 'tls', message: 'cert_file and key_file belong together; set both or none' });
  }
  const contents = (setting: string, path: string | undefined): string | undefined => {
    if (path === undefined) return undefined;
    try {
      return readFile(path);
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
      problems.push({ path: `tls.${setting}`, message: `the file ${path} cannot be read (${code})` });
      return undefined;
    }
  };
  const ca = contents('ca_file', ca_file);
  const cert = contents('cert_file', cert_file);
  const key = contents('key_file', key_file);
  for (const { setting, message } of tlsFileProblems({ ca_file: ca, cert_file: cert, key_file: key })) {
    problems.push({ path: `tls.${setting}`, message });
  }
  return { mode, ca: ca ?? null, cert: cert ?? null, key: key === undefined ? null : new Secret(key) };
}
