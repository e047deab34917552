import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FatalError, TransientError } from '../../../src/core/errors.ts';
import type { Logger } from '../../../src/core/logger.ts';
import { Secret } from '../../../src/core/secret.ts';
import { createLogger } from '../../../src/observability/pino-logger.ts';

// biome-ignore lint/suspicious/noExplicitAny: the fields of a log line have any shape
type Line = Record<string, any>;

function capture(level: 'debug' | 'info' | 'error' = 'info'): { logger: Logger; text: () => string; last: () => Line } {
  const lines: string[] = [];
  const logger = createLogger(level, { write: (line: string) => void lines.push(line) });
  return { logger, text: () => lines.join(''), last: () => JSON.parse(lines.at(-1)!) };
}

test('a line is JSON with level word, ISO time, message, bindings and fields, and nothing else', () => {
  const { logger, last } = capture();
  logger.child({ source: 'shop' }).warn({ position: '0/1A', rows: 3 }, 'slow');
  const { time, ...rest } = last();
  assert.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  assert.deepEqual(rest, { level: 'warn', source: 'shop', position: '0/1A', rows: 3, msg: 'slow' });
});

test('levels below the configured one are not written', () => {
  const { logger, text } = capture('error');
  logger.debug({}, 'a');
  logger.info({}, 'b');
  logger.warn({}, 'c');
  assert.equal(text(), '');
  logger.error({}, 'd');
  assert.match(text(), /"msg":"d"/);
});

test('an expected error has class, code, message, remedy, place and causes, but no stack', () => {
  const { logger, last } = capture();
  const cause = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED', detail: 'Key (id)=(42)' });
  const error = new TransientError('The server is away.', {
    code: 'POSTGRES_UNREACHABLE',
    remedy: 'Start it.',
    source: 'shop',
    table: 'public.t',
    position: '0/1A',
    cause,
  });
  logger.error({ error }, 'attempt ended');
  const { cause: described, ...rest } = last().error;
  assert.deepEqual(rest, {
    class: 'TransientError',
    message: 'The server is away.',
    error_class: 'transient',
    code: 'POSTGRES_UNREACHABLE',
    remedy: 'Start it.',
    source: 'shop',
    table: 'public.t',
    position: '0/1A',
  });
  assert.equal(described.code, 'ECONNREFUSED');
  assert.match(described.stack, /pino-logger\.test/);
  assert.equal(described.detail, undefined);
});

test('fatal errors keep their stack; endless chains of causes end', () => {
  const { logger, last, text } = capture();
  const error = new FatalError('broken', { code: 'X', remedy: 'Report it.' });
  error.cause = error;
  logger.error({ error }, 'x');
  assert.match(last().error.stack, /pino-logger\.test/);
  assert.ok(text().length < 50_000);
});

test('aggregate errors show their members, strange throws are named', () => {
  const { logger, last } = capture();
  logger.error({ error: new AggregateError([new Error('one'), 'two']) }, 'x');
  assert.equal(last().error.errors[0].message, 'one');
  assert.equal(last().error.errors[1].class, 'string');
});

test('secrets, configurations and passwords in URLs never appear', () => {
  const { logger, text } = capture('debug');
  const hidden = 'hunter2';
  const url = `postgres://cdc:${hidden}@db:5432/shop`;
  logger.info({ password: hidden, nested: { token: hidden, deep: { secret: hidden } } }, 'plain keys');
  logger.info({ anything: new Secret(hidden), list: [new Secret(hidden)] }, 'Secret objects');
  logger.info({ config: { url: hidden }, settings: { a: hidden } }, 'dumps');
  logger.info({ url, at: new URL(url), list: [url] }, `cannot reach ${url}`);
  logger.error({ error: new Error(`bad url ${url}`, { cause: new Error(url) }) }, 'errors');
  logger.child({ url, secret: hidden }).debug({}, 'bindings');
  logger.info({ bytes: Buffer.from(hidden) }, 'bytes');
  assert.ok(!text().includes(hidden), text());
  assert.ok(text().includes('postgres://cdc:[secret]@db:5432/shop'));
});

test('big integers and cycles do not break a line', () => {
  const { logger, last } = capture();
  const cycle: Record<string, unknown> = { n: 10n ** 20n };
  cycle.self = cycle;
  logger.info({ cycle }, 'x');
  assert.equal(last().cycle.n, '100000000000000000000');
});
