import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { stringify } from 'yaml';
import { renderChangeLine } from '../../src/cli/change-line.ts';
import type { SourceStatus } from '../../src/core/source-status.ts';
import { DemoDaemon } from './demo/daemon.ts';
import { consumeShop, waitForTopics } from './demo/shop-consumer.ts';
import { SHOP_TABLES, ShopDatabase } from './demo/shop-database.ts';
import { reportToStderr as report } from './report.ts';
import { startStack } from './stack.ts';

const TRANSACTION_EVERY_MS = 250;
const STATUS_EVERY_MS = 5_000;
const DRAIN_TIMEOUT_MS = 20_000;

const USAGE = 'usage: npm run demo [-- --seconds N]';

/** Real Postgres → tailrace → real Kafka and registry → a consumer that knows nothing of tailrace. */
async function main(): Promise<number> {
  const seconds = secondsArgument();
  if (seconds === null) {
    report(USAGE);
    return 2;
  }
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop.abort());
  const stack = await startStack({ postgres: [17], kafka: true, registry: true, signal: stop.signal });
  const directory = await mkdtemp(join(tmpdir(), 'tailrace-demo-'));
  try {
    return await demonstrate(
      stack.urls.postgres[17]!,
      stack.urls.kafka!,
      stack.urls.registry!,
      directory,
      seconds,
      stop.signal,
    );
  } finally {
    await stack.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

async function demonstrate(
  postgres: string,
  brokers: readonly string[],
  registry: string,
  directory: string,
  seconds: number,
  stop: AbortSignal,
): Promise<number> {
  const prefix = `shop${process.pid}`;
  await using shop = await ShopDatabase.create(postgres, prefix);
  const configPath = join(directory, 'tailrace.yaml');
  await writeFile(configPath, stringify(configuration(prefix, shop.url, brokers, registry)));
  const { daemon, url } = await DemoDaemon.start(configPath, directory);
  try {
    await untilReady(url, stop);
    const topics = SHOP_TABLES.map((table) => `${prefix}.public.${table}`);
    await shop.shop();
    await waitForTopics(brokers, topics, DRAIN_TIMEOUT_MS);
    let seen = 0;
    const colour = process.stdout.isTTY && process.env.NO_COLOR === undefined;
    const consumer = await consumeShop(brokers, registry, topics, (change) => {
      seen += 1;
      process.stdout.write(`${renderChangeLine(change, { colour })}\n`);
    });
    whereToLook(url, registry, postgres, brokers, configPath);
    try {
      await shopFor(shop, seconds, url, prefix, stop);
      const arrived = await until(() => seen >= shop.changes, DRAIN_TIMEOUT_MS);
      report(`${shop.transactions} transactions with ${shop.changes} changes committed, ${seen} seen in Kafka`);
      return arrived && seen === shop.changes ? 0 : 1;
    } finally {
      await consumer.disconnect();
    }
  } finally {
    await daemon.stop();
  }
}

function configuration(prefix: string, url: string, brokers: readonly string[], registry: string): object {
  return {
    kafka: { brokers },
    schema_registry: { url: registry },
    checkpoint: { store: 'kafka', topic: `${prefix}-checkpoints` },
    http: { host: '127.0.0.1', port: 0 },
    sources: [
      {
        name: prefix,
        type: 'postgres',
        url,
        tables: { include: ['public\\..*'] },
        types: { decimal: 'string' },
        snapshot: { mode: 'no_data' },
      },
    ],
  };
}

async function shopFor(
  shop: ShopDatabase,
  seconds: number,
  url: string,
  name: string,
  stop: AbortSignal,
): Promise<void> {
  const end = performance.now() + seconds * 1000;
  let nextStatus = performance.now() + STATUS_EVERY_MS;
  while (performance.now() < end && !stop.aborted) {
    await shop.shop();
    if (performance.now() > nextStatus) {
      nextStatus += STATUS_EVERY_MS;
      report(await statusLine(url, name));
    }
    await new Promise((resolve) => setTimeout(resolve, TRANSACTION_EVERY_MS));
  }
}

async function statusLine(url: string, name: string): Promise<string> {
  const response = await fetch(`${url}/api/v1/sources/${name}`, { signal: AbortSignal.timeout(2_000) });
  const status = (await response.json()) as SourceStatus;
  const lag = status.lag_seconds === null ? 'unknown' : `${status.lag_seconds.toFixed(2)} s`;
  return `${status.state}, lag ${lag}, ${status.changes_total} changes published, position ${status.position}`;
}

async function untilReady(url: string, stop: AbortSignal): Promise<void> {
  const ready = await until(async () => {
    stop.throwIfAborted();
    return (await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(2_000) })).ok;
  }, DRAIN_TIMEOUT_MS);
  if (!ready) throw new Error(`tailrace was not ready within ${DRAIN_TIMEOUT_MS / 1000} s: see ${url}/api/v1/sources`);
}

async function until(condition: () => boolean | Promise<boolean>, timeoutMs: number): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  while (performance.now() < deadline) {
    if (await condition()) return true;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return false;
}

function whereToLook(
  url: string,
  registry: string,
  postgres: string,
  brokers: readonly string[],
  config: string,
): void {
  report(`metrics   ${url}/metrics`);
  report(`status    ${url}/api/v1/sources`);
  report(`registry  ${registry}/subjects`);
  report(`Postgres  ${postgres}`);
  report(`Kafka     ${brokers.join(',')}`);
  report(`config    ${config}`);
  report('changes as a kafkajs consumer decodes them: time, op, table, key, columns');
}

/** Infinity without `--seconds`; null for wrong usage. */
function secondsArgument(): number | null {
  try {
    const { values } = parseArgs({ options: { seconds: { type: 'string' } } });
    if (values.seconds === undefined) return Number.POSITIVE_INFINITY;
    const seconds = Number(values.seconds);
    return Number.isFinite(seconds) && seconds > 0 ? seconds : null;
  } catch (error) {
    report(error instanceof Error ? error.message : String(error));
    return null;
  }
}

// kafkajs 2.2.4 asks Node 24 for a timer in the past at its first answer; nothing comes of it.
process.removeAllListeners('warning');
process.on('warning', (warning) => {
  if (warning.name !== 'TimeoutNegativeWarning') report(String(warning));
});
process.exitCode = await main();
