import type { ConfigProblem } from '../../src/core/connector.ts';
import { Secret } from '../../src/core/secret.ts';
import type { TlsMode } from './config.ts';

interface ConnectionParts {
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  readonly user?: string | undefined;
  readonly password?: string | Secret | undefined;
  readonly database?: string | undefined;
  readonly tls: {
    readonly mode?: TlsMode | undefined;
    readonly ca_file?: string | undefined;
    readonly cert_file?: string | undefined;
    readonly key_file?: string | undefined;
  };
}

const TLS_PARAMETERS: Readonly<Record<string, 'ca_file' | 'cert_file' | 'key_file'>> = {
  'ssl-ca': 'ca_file',
  'ssl-cert': 'cert_file',
  'ssl-key': 'key_file',
};
/** The words of the server's own clients. */
const SSL_MODES: Readonly<Record<string, TlsMode>> = {
  disabled: 'disable',
  preferred: 'prefer',
  required: 'require',
  verify_ca: 'verify-ca',
  verify_identity: 'verify-full',
};

/**
 * Fills in what a connection URL (`mysql://user:password@host:3306?ssl-mode=required`) says.
 * A setting given twice is a problem: which one wins would be a guess.
 */
export function applyUrl(parts: ConnectionParts, given: string | Secret, problems: ConfigProblem[]): ConnectionParts {
  const url = parseUrl(typeof given === 'string' ? given : given.reveal());
  if (url === null) {
    problems.push({ path: 'url', message: 'is not a URL of the form mysql://user:password@host:3306' });
    return parts;
  }
  const tls = { ...parts.tls };
  for (const [parameter, value] of url.searchParams) {
    const tlsFile = TLS_PARAMETERS[parameter];
    const mode = parameter === 'ssl-mode' ? SSL_MODES[value.toLowerCase()] : undefined;
    const setting = tlsFile ?? (mode === undefined ? null : 'mode');
    if (setting === null) {
      problems.push({ path: 'url', message: `the parameter ${parameter} is not supported, or its value is not` });
    } else if (tls[setting] !== undefined) {
      problems.push({ path: `tls.${setting}`, message: `is given twice: here and as ${parameter} in url` });
    } else if (tlsFile !== undefined) {
      tls[tlsFile] = value;
    } else {
      tls.mode = mode;
    }
  }
  const fromUrl = {
    host: decode(url.hostname.replace(/^\[(.*)\]$/, '$1')),
    port: url.port === '' ? undefined : Number(url.port),
    user: decode(url.username),
    password: url.password === '' ? undefined : new Secret(decode(url.password) ?? ''),
    database: decode(url.pathname.slice(1)),
  };
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
    tls,
  };
}

function parseUrl(text: string): URL | null {
  if (!URL.canParse(text)) return null;
  const url = new URL(text);
  return url.protocol === 'mysql:' || url.protocol === 'mariadb:' ? url : null;
}

function decode(text: string): string | undefined {
  return text === '' ? undefined : decodeURIComponent(text);
}
