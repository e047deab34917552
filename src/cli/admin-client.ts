import { X509Certificate } from 'node:crypto';
import http, { type IncomingMessage, type RequestOptions } from 'node:http';
import https from 'node:https';
import { codeOf, isTlsCode } from '../core/error-classification.ts';
import { ConfigurationError, FatalError, type TailraceError, TransientError } from '../core/errors.ts';
import type { Secret } from '../core/secret.ts';

export interface AdminClientOptions {
  /** `http://host:port`, without a path. */
  readonly url: string;
  readonly token: Secret | null;
  /** PEM of the certificate that the daemon itself serves; null: the system's authorities decide. */
  readonly cert: string | null;
}

/** A pause waits until what was read is published. */
const DEADLINE_MS = 60_000;

const PROBLEM_TYPE = 'application/problem+json';

interface Answered {
  readonly status: number;
  /** The media type, without parameters. */
  readonly type: string;
  readonly body: string;
}

/** The admin API of one daemon. Not `fetch`, which cannot be told a certificate. */
export class AdminClient {
  readonly #options: AdminClientOptions;

  constructor(options: AdminClientOptions) {
    this.#options = options;
  }

  get url(): string {
    return this.#options.url;
  }

  /**
   * @returns the body of a successful answer.
   * @throws TailraceError: no daemon answers, or it refused.
   */
  async request<T>(method: 'GET' | 'POST' | 'DELETE', path: string, body?: object): Promise<T> {
    let answered: Answered;
    try {
      answered = await this.#send(method, path, body);
    } catch (error) {
      throw this.#unreachable(error);
    }
    const value = parse(answered.body);
    if (answered.status >= 200 && answered.status < 300 && value !== undefined) return value as T;
    throw this.#refused(answered, value);
  }

  #send(method: string, path: string, body: object | undefined): Promise<Answered> {
    const { url, token } = this.#options;
    const payload = body === undefined ? undefined : JSON.stringify(body);
    const target = new URL(path, url);
    const options: RequestOptions = {
      method,
      agent: false,
      signal: AbortSignal.timeout(DEADLINE_MS),
      headers: {
        accept: 'application/json',
        ...(payload === undefined ? {} : { 'content-type': 'application/json' }),
        ...(token === null ? {} : { authorization: `Bearer ${token.reveal()}` }),
      },
    };
    return new Promise((resolve, reject) => {
      const onResponse = (response: IncomingMessage) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
        });
        response.on('error', reject);
        response.on('end', () => resolve({ status: response.statusCode ?? 0, type: typeOf(response), body: text }));
      };
      const request =
        target.protocol === 'https:'
          ? https.request(target, { ...options, ...this.#trust() }, onResponse)
          : http.request(target, options, onResponse);
      request.on('error', reject);
      request.end(payload);
    });
  }

  /** The certificate of the configuration is known: whatever name it bears, the address is that of its daemon. */
  #trust(): https.RequestOptions {
    const { cert } = this.#options;
    if (cert === null) return {};
    const { fingerprint256 } = new X509Certificate(cert);
    return {
      ca: cert,
      checkServerIdentity: (_name, peer) =>
        peer.fingerprint256 === fingerprint256 ? undefined : new Error('another certificate'),
    };
  }

  #unreachable(error: unknown): TailraceError {
    const { url } = this.#options;
    const code = codeOf(error) ?? (error instanceof Error ? error.name : 'unknown');
    return new TransientError(`no daemon answers at ${url} (${code})`, {
      code: 'DAEMON_UNREACHABLE',
      remedy: remedyOfSilence(code),
      cause: error,
    });
  }

  #refused({ status, type }: Answered, value: unknown): TailraceError {
    const { detail, code, remedy, field } = (value ?? {}) as Record<string, unknown>;
    // Other servers have a `detail` in their errors too.
    if (typeof detail !== 'string' || type !== PROBLEM_TYPE) {
      return new FatalError(`what answers at ${this.#options.url} is no tailrace daemon (HTTP status ${status})`, {
        code: 'DAEMON_UNKNOWN',
        remedy: 'Name the address of the daemon with --url.',
      });
    }
    const message =
      typeof field === 'string' && field !== '' && !detail.includes(field) ? `${field}: ${detail}` : detail;
    const context = {
      code: typeof code === 'string' ? code : `HTTP_${status}`,
      remedy: typeof remedy === 'string' ? remedy : remedyOf(status),
    };
    // What was asked for is wrong, as opposed to what the source is like at this moment.
    return status < 500 && status !== 409
      ? new ConfigurationError(message, context)
      : new TransientError(message, context);
  }
}

function remedyOfSilence(code: string): string {
  if (code === 'EPROTO') return 'What listens there does not speak TLS: write --url http://….';
  if (isTlsCode(code)) {
    return 'Its certificate is not accepted: correct http.tls.cert_file, or name an authority in NODE_EXTRA_CA_CERTS.';
  }
  return 'Start it with tailrace run, or name the address of another one with --url.';
}

function typeOf({ headers }: IncomingMessage): string {
  return (headers['content-type'] ?? '').split(';')[0]!.trim().toLowerCase();
}

function remedyOf(status: number): string {
  if (status === 401) return 'Name a file that holds a token with --token-file, or set TAILRACE_TOKEN.';
  if (status === 403) return 'Use a token of role operate.';
  return status === 404 ? 'Is the daemon of this version? GET / lists what it has.' : 'See the log of the daemon.';
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The caller says what that means.
    return undefined;
  }
}
