import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ChangeBatch, ChangeKind } from '../../../src/core/change-batch.ts';
import type { Checkpoint } from '../../../src/core/checkpoint.ts';
import type { ConnectorConfig } from '../../../src/core/connector.ts';
import { OwnershipLostError, TransientError } from '../../../src/core/errors.ts';
import type { RunObserver, RunProgress } from '../../../src/core/source-runner.ts';
import { Pipeline } from '../../../src/pipeline/pipeline.ts';
import type { PipelineDependencies } from '../../../src/pipeline/pipeline-dependencies.ts';
import { awaitUntil } from '../../support/await-until.ts';
import { recordingLogger, recordingMetrics, systemClock } from '../kafka/sink-fixture.ts';

/** A pipeline whose source gives commits by hand and whose sink is empty at once; `events` is what happened, in order. */
class Stage {
  readonly events: string[] = [];
  readonly warnings: string[] = [];
  readonly stop = new AbortController();
  readonly kill = new AbortController();
  readonly progress: RunProgress[] = [];
  readonly #batches: ChangeBatch<number>[] = [];
  #more = Promise.withResolvers<void>();
  #ended = false;
  released = 0;
  save: (checkpoint: Checkpoint) => Promise<void> = async () => {};
  readHealth: (signal: AbortSignal) => Promise<{ retainedWalBytes: number | null; isBehind: boolean }> = async () => ({
    retainedWalBytes: 0,
    isBehind: false,
  });

  commit(resumeAt: number): void {
    this.changes(resumeAt);
  }

  /** One batch: a commit for each number, the begin of a transaction for each 'begin'. */
  changes(...changes: readonly (number | 'begin')[]): void {
    this.#batches.push({
      bytes: Buffer.alloc(0),
      count: changes.length,
      kinds: Uint8Array.from(changes, (change) => (change === 'begin' ? ChangeKind.begin : ChangeKind.commit)),
      versions: changes.map(() => null),
      details: changes.map((change) =>
        change === 'begin' ? { id: '1:1', commitTimeUs: 1 } : { resumeAt: change, commitTimeUs: 1 },
      ),
      hasBefore: new Uint8Array(changes.length),
      receivedAtMs: 0,
      release: () => {
        this.released += 1;
      },
    });
    this.#more.resolve();
  }

  /** The end of the log, asked for once the stream is open. */
  head = 0;
  resync = false;
  verifiedTopics: number | null = null;
  /** Of the sink's topics; what the pipeline forgets when it starts over. */
  topics: readonly { topic: string }[] = [];

  #stream() {
    const stage = this;
    return {
      lastHeardAtMs: 0,
      acknowledge: (position: number) => stage.events.push(`acknowledged ${position}`),
      end: () => {
        stage.#ended = true;
        stage.#more.resolve();
      },
      async *[Symbol.asyncIterator]() {
        while (!stage.#ended) {
          const batch = stage.#batches.shift();
          if (batch !== undefined) yield batch;
          else {
            await stage.#more.promise;
            stage.#more = Promise.withResolvers();
          }
        }
      },
      async [Symbol.asyncDispose]() {
        stage.events.push('stream closed');
      },
    };
  }

  #session() {
    return {
      serverIdentity: '1:1',
      sourceBlock: {},
      messageContent: {},
      claim: async () => {},
      assessResume: async () => ({ kind: 'resume', from: 0 }),
      initialise: async () => {
        this.events.push('initialised');
        return 5;
      },
      readHead: async () => this.head,
      stream: async () => this.#stream(),
      readHealth: (signal: AbortSignal) => this.readHealth(signal),
      [Symbol.asyncDispose]: async () => {},
    };
  }

  #sink() {
    const stage = this;
    return {
      failure: new Promise<never>(() => {}),
      inFlightBytes: 0,
      verifyProgress: async (topics: readonly { topic: string }[]) => {
        stage.verifiedTopics = topics.length;
      },
      takeProgress: () => [],
      flush: async () => {
        stage.events.push('flushed');
      },
      ready: async () => {},
      async [Symbol.asyncDispose]() {
        stage.events.push('sink closed');
      },
    };
  }

  run(): Promise<void> {
    const stage = this;
    const dependencies = {
      settings: {
        name: 'shop',
        topicPrefix: 'shop',
        skippedOperations: new Set(),
        transactionMetadata: false,
        heartbeatTopic: false,
        extendedHeaders: false,
        onPoison: 'fail',
        snapshot: { mode: 'no_data', chunkRows: 1000, parallelism: 1, where: [] },
        signals: { table: null, topic: null },
        notifications: { topic: null },
        columns: { exclude: [], mask: [], hash: [], truncate: [] },
      },
      connector: {
        open: async () => this.#session(),
        positions: { encode: String, decode: Number, sortKey: (position: number) => String(position).padStart(5, '0') },
      },
      config: {},
      resync: this.resync,
      checkpointIntervalMs: 5,
      openMemory: async () => ({
        checkpoint: null,
        snapshot: null,
        get topics() {
          return stage.topics;
        },
        startOver: async ({ phase }: Checkpoint) => {
          stage.events.push(`started over as ${phase}`);
          stage.topics = [];
        },
        save: (checkpoint: Checkpoint) => this.save(checkpoint),
        [Symbol.asyncDispose]: async () => {},
      }),
      openSink: async () => this.#sink(),
      createEncoder: () => ({ output: { bytes: Buffer.alloc(0), reset: () => {} } }),
      runId: 'run',
      clock: {
        ...systemClock,
        sleep: (ms: number, signal: AbortSignal) => sleep(Math.min(ms, 20), undefined, { signal }),
      },
      logger: recordingLogger(this.warnings),
      metrics: recordingMetrics(new Map()),
    } as unknown as PipelineDependencies<ConnectorConfig, number>;
    const observer: RunObserver = {
      streaming: () => {},
      touch: () => {},
      progress: (progress) => this.progress.push(progress),
      waiting: () => {},
    };
    return new Pipeline(dependencies).run(observer, this.stop.signal, this.kill.signal);
  }
}

test('a graceful stop flushes, saves, acknowledges and then closes the stream before the sink', async () => {
  const stage = new Stage();
  const run = stage.run();
  stage.commit(1);
  await awaitUntil('it is acknowledged', () => stage.events.includes('acknowledged 1'));
  stage.commit(2);
  await awaitUntil('it is acknowledged', () => stage.events.includes('acknowledged 2'));
  stage.stop.abort();
  await run;
  assert.deepEqual(stage.events.slice(-4), ['flushed', 'acknowledged 2', 'stream closed', 'sink closed']);
});

test('a graceful stop in a transaction publishes the rest of it and nothing of the next', async () => {
  const stage = new Stage();
  const run = stage.run();
  stage.changes(1, 'begin');
  await awaitUntil('the first half is published', () => stage.released === 1);
  stage.stop.abort();
  stage.changes(2, 'begin', 3);
  await run;
  assert.deepEqual(stage.events.slice(-4), ['flushed', 'acknowledged 2', 'stream closed', 'sink closed']);
});

test('a graceful stop does not wait for ever for the end of a transaction', async () => {
  const stage = new Stage();
  const run = stage.run();
  stage.changes(1, 'begin');
  await awaitUntil('the first half is published', () => stage.released === 1);
  stage.stop.abort();
  await run;
  assert.deepEqual(stage.events.slice(-4), ['flushed', 'acknowledged 1', 'stream closed', 'sink closed']);
});

test('an owner that lost its source closes the sink before anything else and flushes nothing', async () => {
  const stage = new Stage();
  const lost = new OwnershipLostError('a newer one has it', { code: 'TAKEN', remedy: 'None.' });
  stage.save = () => Promise.reject(lost);
  const run = stage.run();
  stage.commit(1);
  await assert.rejects(run, lost);
  assert.equal(stage.events[0], 'sink closed');
  assert.ok(stage.events.includes('stream closed'));
  assert.equal(stage.events.includes('flushed'), false);
});

test('a health check that the server does not answer in time does not end a stream that works', async () => {
  const stage = new Stage();
  let looks = 0;
  stage.readHealth = async () => {
    looks += 1;
    if (looks === 1) return { retainedWalBytes: 4096, isBehind: false };
    throw new TransientError('no answer', { code: 'POSTGRES_QUERY_TIMEOUT', remedy: 'None.' });
  };
  const run = stage.run();
  await awaitUntil('it was looked at three times', () => looks >= 3);
  stage.commit(7);
  await awaitUntil('the stream goes on', () => stage.events.includes('acknowledged 7'));
  await awaitUntil('what is not known is not told', () => stage.progress.at(-1)?.retainedWalBytes === null);
  assert.equal(stage.warnings.length, 1);
  stage.stop.abort();
  await run;
});

test('a stop during a health check is a graceful one', async () => {
  const stage = new Stage();
  const asked = Promise.withResolvers<void>();
  stage.readHealth = (signal) => {
    asked.resolve();
    return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }));
  };
  const run = stage.run();
  await asked.promise;
  stage.commit(3);
  await awaitUntil('it is acknowledged', () => stage.events.includes('acknowledged 3'));
  stage.stop.abort();
  await run;
  assert.equal(stage.warnings.length, 0);
});

test('a quiet source is not caught up while its server still has log that did not arrive', async () => {
  const stage = new Stage();
  let isBehind = true;
  stage.readHealth = async () => ({ retainedWalBytes: 0, isBehind });
  const run = stage.run();
  stage.commit(1);
  await awaitUntil('it is acknowledged', () => stage.events.includes('acknowledged 1'));
  const from = stage.progress.length;
  await awaitUntil('it was quiet for long', () => stage.progress.length > from + 15);
  assert.equal(stage.progress.at(-1)?.caughtUp, false);
  isBehind = false;
  await awaitUntil('it is caught up', () => stage.progress.at(-1)?.caughtUp === true);
  stage.stop.abort();
  await run;
});

test('what was committed before the stream opened is reached once the checkpoint is not before its end', async () => {
  const stage = new Stage();
  stage.head = 12;
  const run = stage.run();
  stage.commit(9);
  await awaitUntil('9 is told', () => stage.progress.some(({ position }) => position === '9'));
  stage.commit(12);
  await awaitUntil('12 is told', () => stage.progress.some(({ position }) => position === '12'));
  await awaitUntil('it is reached', () => stage.progress.at(-1)?.reachedStart);
  stage.stop.abort();
  await run;
  for (const { position, reachedStart } of stage.progress) {
    if (reachedStart) assert.equal(position, '12');
  }
});

test('a resync forgets what was stored before anything is created, and asks for no verdict', async () => {
  const stage = new Stage();
  stage.resync = true;
  stage.topics = [{ topic: 'shop.public.t' }];
  const saved: (string | null)[] = [];
  stage.save = async ({ position }) => void saved.push(position);
  const run = stage.run();
  stage.commit(6);
  await awaitUntil('it streams', () => stage.events.includes('acknowledged 6'));
  stage.stop.abort();
  await run;
  assert.deepEqual(stage.events.slice(0, 2), ['started over as initialising', 'initialised']);
  assert.equal(stage.verifiedTopics, 0);
  assert.deepEqual(saved.slice(0, 2), ['5', '6']);
});
