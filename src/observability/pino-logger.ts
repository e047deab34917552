import { type DestinationStream, destination, type Logger as Pino, pino } from 'pino';
import type { Logger } from '../core/logger.ts';
import type { Settings } from '../core/settings.ts';
import { describeError } from './describe-error.ts';

type Fields = Readonly<Record<string, unknown>>;

/** Keys whose values never reach a log, whatever they hold. */
const FORBIDDEN_KEYS = /^(config|settings|password|passwd|secret|token|authorization|sasl|connection_?string)$/i;
/** `scheme://user:password@`: libraries quote connection URLs in their messages. */
const URL_PASSWORD = /([a-z][a-z0-9+.-]*:\/\/[^\s:/@]*):[^\s/]*@/gi;

/**
 * JSON lines on standard error: `level` as a word, `time` in ISO 8601, `msg`, then the fields. Errors anywhere in the
 * fields are described by class, code, message, remedy and causes; passwords in URLs and forbidden keys are hidden.
 * Lines are written at once: the last ones before a crash are the ones that matter.
 */
export function createLogger(level: Settings['log']['level'], output?: DestinationStream): Logger {
  const sink = pino(
    {
      level,
      base: {},
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    output ?? destination({ fd: 2, sync: true }),
  );
  return new PinoLogger(sink);
}

class PinoLogger implements Logger {
  readonly #pino: Pino;

  constructor(sink: Pino) {
    this.#pino = sink;
  }

  child(bindings: Fields): Logger {
    return new PinoLogger(this.#pino.child(clean(bindings)));
  }

  debug(fields: Fields, message: string): void {
    if (this.#pino.isLevelEnabled('debug')) this.#pino.debug(clean(fields), redact(message));
  }

  info(fields: Fields, message: string): void {
    if (this.#pino.isLevelEnabled('info')) this.#pino.info(clean(fields), redact(message));
  }

  warn(fields: Fields, message: string): void {
    if (this.#pino.isLevelEnabled('warn')) this.#pino.warn(clean(fields), redact(message));
  }

  error(fields: Fields, message: string): void {
    if (this.#pino.isLevelEnabled('error')) this.#pino.error(clean(fields), redact(message));
  }
}

function redact(text: string): string {
  return text.includes('://') ? text.replace(URL_PASSWORD, '$1:[secret]@') : text;
}

/** pino treats `err`, `msg` and `time` specially only where a value is; a plain object of plain values stays as it is. */
function clean(fields: Fields): Record<string, unknown> {
  const cleaned: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(fields)) cleaned[key] = cleanValue(key, value, 4);
  return cleaned;
}

function cleanValue(key: string, value: unknown, depth: number): unknown {
  if (FORBIDDEN_KEYS.test(key)) return '[secret]';
  if (typeof value === 'string') return redact(value);
  if (typeof value === 'bigint') return value.toString();
  if (value === null || typeof value !== 'object') return value;
  if (value instanceof Error) return describeError(value, redact);
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (depth === 0) return '[nested]';
  if ('toJSON' in value && typeof value.toJSON === 'function') return cleanValue(key, value.toJSON(), depth - 1);
  if (Array.isArray(value)) return value.map((each) => cleanValue('', each, depth - 1));
  const cleaned: Record<string, unknown> = {};
  for (const [name, each] of Object.entries(value)) cleaned[name] = cleanValue(name, each, depth - 1);
  return cleaned;
}
