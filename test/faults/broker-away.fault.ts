import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { type FaultedLoad, underLoad } from '../support/faulted-load.ts';
import { startOwnKafka } from '../support/own-kafka.ts';
import { readProcessMemory } from '../support/process-memory.ts';
import { readEnvelopes } from '../support/read-rows.ts';
import { awaitConfirmed } from '../support/slot-progress.ts';

const MEBIBYTE = 1024 * 1024;
const AWAY_MS = 300_000;
const LOOK_MS = 2_000;
const BUFFER_MIB = 4;
/** Of a kilobyte each. */
const BULK_ROWS = 30_000;
/** What the buffer, what is read ahead of it and the collector's slack may add to what the daemon had before. */
const GROWTH_BYTES = 64 * MEBIBYTE;

test('Kafka is away for five minutes: memory stays bounded, the reason is told, and it goes on by itself', {
  timeout: 800_000,
}, async (context) => {
  await using kafka = await startOwnKafka({ brokers: 1 });
  const settings = { max_in_flight_bytes: `${BUFFER_MIB}MiB`, request_timeout: '10s', delivery_timeout: '60s' };
  const options = {
    kafka: settings,
    store: 'kafka',
    sql: 'CREATE SCHEMA bulk; CREATE TABLE bulk.rows (id int PRIMARY KEY, v text)',
    source: { tables: { include: ['public\\..*', 'bulk\\..*'] } },
    catchUpMs: 240_000,
  } as const;
  await underLoad(options, async (load) => {
    const { daemon, name } = load;
    const before = readProcessMemory(daemon.pid).residentBytes;
    await kafka.cluster.stop();
    // More than the buffer takes at once, so that the bound is met and not only neared.
    await load.database.query(
      'INSERT INTO bulk.rows SELECT n, repeat(md5(n::text), 30) FROM generate_series(1, $1::int) n',
      [BULK_ROWS],
    );
    const seen = await observe(load, AWAY_MS);
    assert.ok(seen.inFlightBytes <= (BUFFER_MIB + 1) * MEBIBYTE, `${seen.inFlightBytes} bytes in flight`);
    const growth = seen.residentBytes - before;
    context.diagnostic(`${Math.round(growth / MEBIBYTE)} MiB more resident; told: ${[...seen.codes].join()}`);
    assert.ok(growth < GROWTH_BYTES, `${growth} bytes more resident`);
    assert.ok(seen.states.has('backing-off') || seen.states.has('starting'), [...seen.states].join());
    const { last_error } = await daemon.status(name);
    assert.match(last_error?.code ?? '', /^(CHECKPOINT_TOPIC_TIMEOUT|KAFKA_UNREACHABLE|KAFKA_DELIVERY_TIMEOUT)$/);
    assert.match(last_error?.remedy ?? '', /broker/);
    assert.equal((await daemon.get('/readyz')).status, 503);
    assert.equal((await daemon.get('/livez')).status, 200, 'a restart would not help');
    assert.ok((await load.metric('tailrace_lag_seconds')) > 200);
    assert.ok((await load.metric('tailrace_errors_total', { class: 'transient' })) > 0);
    const { pid } = daemon;
    await kafka.cluster.start();
    await daemon.streaming(120_000);
    await load.published(200);
    assert.equal(daemon.pid, pid);
    await awaitConfirmed(load.database, name, 240_000);
    const ids = new Set((await readEnvelopes(`${name}.bulk.rows`)).map(({ after }) => after?.id));
    assert.equal(ids.size, BULK_ROWS);
  });
});

/** Looks at the daemon for as long as told; it has to answer all the time. */
async function observe(load: FaultedLoad, forMs: number) {
  const seen = { residentBytes: 0, inFlightBytes: 0, states: new Set<string>(), codes: new Set<string>() };
  const untilMs = performance.now() + forMs;
  while (performance.now() < untilMs) {
    const { daemon, name } = load;
    const { state, in_flight_bytes, last_error } = await daemon.until('the daemon answers', () => daemon.status(name));
    seen.states.add(state);
    if (last_error !== null) seen.codes.add(last_error.code);
    seen.inFlightBytes = Math.max(seen.inFlightBytes, in_flight_bytes);
    seen.residentBytes = Math.max(seen.residentBytes, readProcessMemory(load.daemon.pid).residentBytes);
    load.workload.throwIfFailed();
    await pause(LOOK_MS);
  }
  return seen;
}
