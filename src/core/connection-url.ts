import type { ConfigProblem } from './connector.ts';
import type { TlsMode } from './database-connection.ts';
import { Secret } from './secret.ts';

/** How the clients of a database write a URL. */
export interface UrlForm {
  /** With their colon: `postgres:`. */
  readonly schemes: readonly string[];
  /** Such a URL, for messages. */
  readonly example: string;
  /** Query parameters that name files, and what each is. */
  readonly tlsFiles: Readonly<Record<string, TlsFile>>;
  readonly tlsModeParameter: string;
  /** What a value of that parameter means; undefined where nothing does. */
  tlsMode(word: string): TlsMode | undefined;
}

export type TlsFile = 'ca_file' | 'cert_file' | 'key_file';

/** What settings or a URL say of a connection, not yet complete. */
export interface ConnectionParts {
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  readonly user?: string | undefined;
  readonly password?: Secret | undefined;
  readonly database?: string | undefined;
  readonly tls: { readonly [file in TlsFile]?: string | undefined } & { readonly mode?: TlsMode | undefined };
}

/**
 * Fills in what a connection URL says. A setting given twice is a problem: which one wins would be a guess.
 * @returns null where the URL cannot be read.
 */
export function applyUrl(
  parts: ConnectionParts,
  given: Secret,
  form: UrlForm,
  problems: ConfigProblem[],
): ConnectionParts | null {
  const url = URL.parse(given.reveal());
  if (url === null || !form.schemes.includes(url.protocol)) {
    problems.push({ path: 'url', message: `is not a URL of the form ${form.example}` });
    return null;
  }
  const fromUrl = partsOf(url);
  if (fromUrl === null) {
    problems.push({ path: 'url', message: 'has a % that starts no %XX; write %25 for a % in a user or a password' });
    return null;
  }
  for (const key of ['host', 'port', 'user', 'password', 'database'] as const) {
    if (fromUrl[key] !== undefined && parts[key] !== undefined) {
      problems.push({ path: key, message: 'is given twice: here and in url' });
    }
  }
  return {
    host: parts.host ?? fromUrl.host,
    port: parts.port ?? fromUrl.port,
    user: parts.user ?? fromUrl.user,
    password: parts.password ?? fromUrl.password,
    database: parts.database ?? fromUrl.database,
    tls: withTlsParameters(parts.tls, url.searchParams, form, problems),
  };
}

function withTlsParameters(
  given: ConnectionParts['tls'],
  parameters: URLSearchParams,
  form: UrlForm,
  problems: ConfigProblem[],
): ConnectionParts['tls'] {
  const tls: { [file in TlsFile]?: string | undefined } & { mode?: TlsMode | undefined } = { ...given };
  for (const [parameter, value] of parameters) {
    const file = Object.hasOwn(form.tlsFiles, parameter) ? form.tlsFiles[parameter] : undefined;
    const mode = parameter === form.tlsModeParameter ? form.tlsMode(value) : undefined;
    if (file === undefined && mode === undefined) {
      problems.push({ path: 'url', message: `the parameter ${parameter} is not supported, or its value is not` });
      continue;
    }
    const setting = file ?? 'mode';
    if (tls[setting] !== undefined) {
      problems.push({ path: `tls.${setting}`, message: `is given twice: here and as ${parameter} in url` });
    } else if (file !== undefined) tls[file] = value;
    else tls.mode = mode;
  }
  return tls;
}

/** @returns null where a part is not percent-encoded. */
function partsOf(url: URL): Omit<ConnectionParts, 'tls'> | null {
  try {
    const password = decode(url.password);
    return {
      host: decode(url.hostname.replace(/^\[(.*)\]$/, '$1')),
      port: url.port === '' ? undefined : Number(url.port),
      user: decode(url.username),
      password: password === undefined ? undefined : new Secret(password),
      database: decode(url.pathname.slice(1)),
    };
  } catch (error) {
    if (error instanceof URIError) return null;
    throw error;
  }
}

function decode(text: string): string | undefined {
  return text === '' ? undefined : decodeURIComponent(text);
}
