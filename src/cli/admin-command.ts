import { readFileSync } from 'node:fs';
import { isIPv6 } from 'node:net';
import type { Command } from 'commander';
import { closest } from '../config/closest.ts';
import { loadAddress } from '../config/load-address.ts';
import { Secret } from '../core/secret.ts';
import { AdminClient } from './admin-client.ts';
import type { CommandContext } from './command-context.ts';
import { type ConfiguredOptions, configuredCommand } from './configured-command.ts';
import { UsageError } from './exit-code.ts';

export interface AdminOptions extends ConfiguredOptions {
  readonly url?: string;
  readonly tokenFile?: string;
}

const AFTER = `
Talks to a running daemon: at the address in the configuration's http section,
or at --url. Where http.tokens are set, the token is read from --token-file or
the environment variable TAILRACE_TOKEN.`;

/** A command that talks to a running daemon. */
export function adminCommand(name: string, description: string): Command {
  return configuredCommand(name, description)
    .option('--url <url>', 'address of the daemon, such as http://127.0.0.1:8080; no configuration is read then')
    .option('--token-file <file>', 'file that holds the token (else TAILRACE_TOKEN)')
    .addHelpText('after', AFTER);
}

/**
 * @param source is looked for in the configuration, where that is read; the daemon knows the rest.
 * @throws UsageError, InvalidConfiguration
 */
export function adminClient(options: AdminOptions, context: CommandContext, source?: string): AdminClient {
  const token = readToken(options, context);
  if (options.url !== undefined) return new AdminClient({ url: baseUrl(options.url), token, cert: null });
  const { host, port, cert, sources } = loadAddress(options.config, context.env);
  if (source !== undefined && sources.length > 0 && !sources.includes(source)) throw unknownSource(source, sources);
  if (port === 0) {
    throw new UsageError(
      'the configuration lets the daemon take any free port (http.port: 0)',
      'Write --url http://127.0.0.1:PORT; the daemon logs its address when it starts.',
    );
  }
  return new AdminClient({ url: `${cert === null ? 'http' : 'https'}://${reachable(host)}:${port}`, token, cert });
}

/** `/api/v1/sources/<name>` and what follows. */
export function sourcePath(source: string, rest = ''): string {
  return `/api/v1/sources/${encodeURIComponent(source)}${rest}`;
}

function unknownSource(source: string, known: readonly string[]): UsageError {
  const meant = closest(source, known);
  const remedy = meant === null ? `Sources: ${known.join(', ')}.` : `Did you mean ${meant}?`;
  return new UsageError(`the configuration has no source named ${JSON.stringify(source)}`, remedy);
}

/** Who listens everywhere listens on the loopback too. */
function reachable(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return isIPv6(host) ? `[${host}]` : host;
}

function baseUrl(text: string): string {
  const url = URL.parse(text);
  const isAddress = url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '';
  if (isAddress && url.pathname === '/' && url.search === '') return url.origin;
  throw new UsageError(
    '--url is not the address of a daemon',
    'Write --url http://127.0.0.1:8080, without a user in it and without a path behind it.',
  );
}

function readToken({ tokenFile }: AdminOptions, { env }: CommandContext): Secret | null {
  if (tokenFile === undefined) return env.TAILRACE_TOKEN ? tokenOf(env.TAILRACE_TOKEN, 'TAILRACE_TOKEN') : null;
  let text: string;
  try {
    text = readFileSync(tokenFile, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === undefined) throw error;
    throw new UsageError(`--token-file cannot be read (${code})`, 'Name a file that exists and holds the token.');
  }
  return tokenOf(text, '--token-file');
}

function tokenOf(text: string, where: string): Secret {
  const token = text.trim();
  if (/^[\x21-\x7e]+$/.test(token)) return new Secret(token);
  throw new UsageError(`${where} does not hold a token`, 'Let it be the token alone, on one line.');
}
