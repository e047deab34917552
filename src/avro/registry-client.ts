import { codeOf } from '../core/error-classification.ts';
import { ConfigurationError } from '../core/errors.ts';
import type { Metrics } from '../core/metrics.ts';
import type { RegistrySettings } from '../core/settings.ts';
import { tlsFault } from '../core/tls-fault.ts';
import { HttpClient } from './http-client.ts';
import { RegistryRefusal, RegistryUnreachableError } from './registry-errors.ts';
import type { CompatibilityAnswer, SchemaRegistry } from './schema-registry.ts';

const CONTENT_TYPE = 'application/vnd.schemaregistry.v1+json';
const MAX_MESSAGE_LENGTH = 500;

export type RegistryOutcome = 'ok' | 'not_found' | 'refused' | 'unreachable';

export interface RegisteredSchema {
  /** `AVRO`, `JSON` or `PROTOBUF`. */
  readonly type: string;
  readonly text: string;
}

type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

/**
 * The part of the Confluent schema registry's REST interface that a producer needs. Every request has a deadline; a URL
 * that does not answer is left for the next one. Remembers nothing but which URL answered last.
 * @see https://docs.confluent.io/platform/current/schema-registry/develop/api.html
 */
export class RegistryClient implements SchemaRegistry, AsyncDisposable {
  readonly settings: RegistrySettings;
  readonly #http: HttpClient;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #outcomes: Readonly<Record<RegistryOutcome, { add(value: number): void }>>;
  #preferred = 0;

  constructor(settings: RegistrySettings, metrics: Metrics) {
    this.settings = settings;
    this.#http = new HttpClient(settings.tls);
    this.#headers = { 'content-type': CONTENT_TYPE, accept: CONTENT_TYPE, ...authorization(settings) };
    const requests = metrics.counter('tailrace_registry_requests_total');
    this.#outcomes = {
      ok: requests.bind({ outcome: 'ok' }),
      not_found: requests.bind({ outcome: 'not_found' }),
      refused: requests.bind({ outcome: 'refused' }),
      unreachable: requests.bind({ outcome: 'unreachable' }),
    };
  }

  async lookUp(subject: string, schema: string, signal: AbortSignal): Promise<number | null> {
    try {
      return idOf(await this.#ask('POST', `/subjects/${encodeURIComponent(subject)}`, { schema }, signal));
    } catch (error) {
      if (error instanceof RegistryRefusal && error.isNotFound) return null;
      throw error;
    }
  }

  async checkCompatibility(subject: string, schema: string, signal: AbortSignal): Promise<CompatibilityAnswer> {
    const path = `/compatibility/subjects/${encodeURIComponent(subject)}/versions/latest?verbose=true`;
    try {
      const answer = await this.#ask('POST', path, { schema }, signal);
      if (typeof answer.is_compatible !== 'boolean')
        throw new RegistryRefusal(200, 200, 'the answer has no is_compatible');
      // Confluent's registry gives `messages`, Apicurio's `reason`.
      const reasons = Array.isArray(answer.messages) ? answer.messages : [answer.reason];
      return { compatible: answer.is_compatible, reasons: reasons.filter(isText).map(shortened) };
    } catch (error) {
      if (error instanceof RegistryRefusal && error.isNotFound) return { compatible: true, reasons: [] };
      throw error;
    }
  }

  async latestSchema(subject: string, signal: AbortSignal): Promise<string | null> {
    try {
      const { schema } = await this.#ask(
        'GET',
        `/subjects/${encodeURIComponent(subject)}/versions/latest`,
        null,
        signal,
      );
      return isText(schema) ? schema : null;
    } catch (error) {
      if (error instanceof RegistryRefusal && error.isNotFound) return null;
      throw error;
    }
  }

  async register(subject: string, schema: string, signal: AbortSignal): Promise<number> {
    return idOf(await this.#ask('POST', `/subjects/${encodeURIComponent(subject)}/versions`, { schema }, signal));
  }

  /** Null where the registry has no schema of this id. */
  async schemaById(id: number, signal: AbortSignal): Promise<RegisteredSchema | null> {
    try {
      const answer = await this.#ask('GET', `/schemas/ids/${id}`, null, signal);
      if (!isText(answer.schema)) throw new RegistryRefusal(200, 200, 'the answer has no schema');
      // Left out by registries for Avro.
      return { type: isText(answer.schemaType) ? answer.schemaType : 'AVRO', text: answer.schema };
    } catch (error) {
      if (error instanceof RegistryRefusal && error.isNotFound) return null;
      throw error;
    }
  }

  /** The compatibility level of the whole registry; for `check`, as the cheapest question that needs a working registry. */
  async globalCompatibility(signal: AbortSignal): Promise<string> {
    return levelOf(await this.#ask('GET', '/config', null, signal));
  }

  async subjectCompatibility(subject: string, signal: AbortSignal): Promise<string | null> {
    try {
      return levelOf(await this.#ask('GET', `/config/${encodeURIComponent(subject)}`, null, signal));
    } catch (error) {
      if (error instanceof RegistryRefusal && error.isNotFound) return null;
      throw error;
    }
  }

  async setSubjectCompatibility(subject: string, level: string | null, signal: AbortSignal): Promise<void> {
    const path = `/config/${encodeURIComponent(subject)}`;
    if (level === null) await this.#ask('DELETE', path, null, signal);
    else await this.#ask('PUT', path, { compatibility: level }, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#http.close();
  }

  async #ask(method: Method, path: string, body: object | null, signal: AbortSignal): Promise<Record<string, unknown>> {
    const { urls } = this.settings;
    const failures: string[] = [];
    const faults: ConfigurationError[] = [];
    let cause: unknown;
    for (let attempt = 0; attempt < urls.length; attempt++) {
      const chosen = (this.#preferred + attempt) % urls.length;
      try {
        const answer = await this.#askOne(urls[chosen]!, method, path, body, signal);
        this.#preferred = chosen;
        return answer;
      } catch (error) {
        signal.throwIfAborted();
        if (error instanceof RegistryRefusal) {
          this.#preferred = chosen;
          this.#outcomes[error.isNotFound ? 'not_found' : 'refused'].add(1);
          throw error;
        }
        this.#outcomes.unreachable.add(1);
        const address = printable(urls[chosen]!);
        failures.push(`${address}: ${reasonOf(error)}`);
        const fault = lastingFault(error, address);
        if (fault !== null) faults.push(fault);
        cause = error;
      }
    }
    // One that may answer later is worth waiting for.
    if (faults.length === urls.length) throw faults[0]!;
    throw new RegistryUnreachableError(`The schema registry does not answer (${failures.join('; ')}).`, {
      code: 'REGISTRY_UNREACHABLE',
      remedy: 'Check `schema_registry.url` with its http:// or https://, the network, and that the registry runs.',
      cause,
    });
  }

  async #askOne(
    url: string,
    method: Method,
    path: string,
    body: object | null,
    signal: AbortSignal,
  ): Promise<Record<string, unknown>> {
    const deadline = AbortSignal.timeout(this.settings.requestTimeoutMs);
    const { status: statusCode, text } = await this.#http.ask(
      new URL(`${url.replace(/\/+$/, '')}${path}`),
      { method, headers: this.#headers, body: body === null ? null : JSON.stringify(body) },
      AbortSignal.any([signal, deadline]),
    );
    if (statusCode >= 500 || statusCode === 408 || statusCode === 429) throw new ServerTrouble(`HTTP ${statusCode}`);
    const answer = parseObject(text);
    if (statusCode >= 200 && statusCode < 300) {
      this.#outcomes.ok.add(1);
      return answer ?? {};
    }
    const errorCode = typeof answer?.error_code === 'number' ? answer.error_code : statusCode;
    const message = isText(answer?.message) ? shortened(answer.message) : `HTTP ${statusCode}`;
    throw new RegistryRefusal(statusCode, errorCode, message);
  }
}

class ServerTrouble extends Error {}

/** What no waiting changes; null of everything else. */
function lastingFault(error: unknown, address: string): ConfigurationError | null {
  const fault = tlsFault(error, 'schema_registry.tls');
  if (fault !== null) {
    const context = { code: 'REGISTRY_TLS', remedy: fault.remedy, cause: error };
    return new ConfigurationError(`TLS with the schema registry at ${address} failed: ${fault.problem}`, context);
  }
  if (!codeOf(error)?.startsWith('HPE_')) return null;
  return new ConfigurationError(`What answers at ${address} does not speak HTTP.`, {
    code: 'REGISTRY_NOT_HTTP',
    remedy: 'Write https:// in schema_registry.url where the registry has TLS; else correct host and port.',
    cause: error,
  });
}

function authorization({ auth }: RegistrySettings): Record<string, string> {
  switch (auth.kind) {
    case 'none':
      return {};
    case 'basic': {
      const credentials = Buffer.from(`${auth.username}:${auth.password.reveal()}`, 'utf8').toString('base64');
      return { authorization: `Basic ${credentials}` };
    }
    case 'bearer':
      return { authorization: `Bearer ${auth.token.reveal()}` };
  }
}

function idOf(answer: Record<string, unknown>): number {
  if (Number.isInteger(answer.id)) return answer.id as number;
  throw new RegistryRefusal(200, 200, 'the answer has no schema id');
}

function levelOf(answer: Record<string, unknown>): string {
  const level = answer.compatibilityLevel ?? answer.compatibility;
  if (isText(level)) return level;
  throw new RegistryRefusal(200, 200, 'the answer has no compatibility level');
}

function parseObject(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    // A proxy's error page; the status tells what to do.
    return null;
  }
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function shortened(text: string): string {
  return text.length > MAX_MESSAGE_LENGTH ? `${text.slice(0, MAX_MESSAGE_LENGTH)}…` : text;
}

/** Without user name and password, which some people put into URLs. */
function printable(url: string): string {
  return URL.canParse(url) ? `${new URL(url).origin}${new URL(url).pathname}` : '(not a URL)';
}

function reasonOf(error: unknown): string {
  if (error instanceof DOMException && error.name === 'TimeoutError') return 'no answer in time';
  const code = (error as { code?: unknown }).code;
  return typeof code === 'string' ? code : error instanceof ServerTrouble ? error.message : 'no connection';
}
