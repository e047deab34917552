import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Clock } from '../../../../src/core/clock.ts';
import { TransientError } from '../../../../src/core/errors.ts';
import type { Logger } from '../../../../src/core/logger.ts';
import { accepted, conflict, type OperationOutcome } from '../../../../src/core/operation-outcome.ts';
import type { SignalText } from '../../../../src/core/signal.ts';
import type { SnapshotRequest } from '../../../../src/core/snapshot-control.ts';
import type { SnapshotStatus } from '../../../../src/core/snapshot-status.ts';
import { SignalInbox } from '../../../../src/pipeline/signals/signal-inbox.ts';
import { SourceSignals } from '../../../../src/pipeline/signals/source-signals.ts';
import { awaitUntil } from '../../../support/await-until.ts';

const STATUS = {} as SnapshotStatus;

/** Signals over snapshots that only note what is asked of them. */
class Stage {
  readonly asked: string[] = [];
  readonly logged: string[] = [];
  readonly stored: string[] = [];
  readonly failures: unknown[] = [];
  /** What the next starts throw. */
  readonly errors: Error[] = [];
  isRunning = false;
  isDueByItself = false;
  readonly inbox: SignalInbox;
  readonly signals: SourceSignals<number>;

  constructor(inbox = new SignalInbox(null, null)) {
    this.inbox = inbox;
    const stage = this;
    const log = (level: string) => (fields: Readonly<Record<string, unknown>>, message: string) =>
      void this.logged.push(`${level} ${String(fields.signal)} ${message}`);
    const logger = {
      debug: log('debug'),
      info: log('info'),
      warn: log('warn'),
      error: log('error'),
    } as unknown as Logger;
    const control = (name: string) => async (): Promise<OperationOutcome<SnapshotStatus>> => {
      this.asked.push(name);
      return this.isRunning ? accepted(STATUS) : conflict('SNAPSHOT_NOT_RUNNING', 'No snapshot.', 'None.');
    };
    this.signals = new SourceSignals({
      inbox,
      snapshots: {
        get isRunning() {
          return stage.isRunning;
        },
        get isDueByItself() {
          return stage.isDueByItself;
        },
        start: (request, begun) => this.#start(request, begun),
        pause: control('pause'),
        resume: control('resume'),
        stop: async (tables) => {
          this.asked.push(`stop ${tables?.map(({ source }) => source).join() ?? 'all'}`);
          if (tables === undefined) this.isRunning = false;
          return accepted(STATUS);
        },
        remember: () => void this.stored.push(inbox.waiting.map(({ id }) => id).join()),
      },
      compile: (text) => new RegExp(`^${text}$`),
      position: () => 'P1',
      failed: (error) => void this.failures.push(error),
      clock: { nowMs: () => 0, nowUs: () => 0, sleep: async () => {} } satisfies Clock,
      logger,
    });
  }

  async #start(request: SnapshotRequest, begun?: () => void): Promise<OperationOutcome<SnapshotStatus>> {
    const error = this.errors.shift();
    if (error !== undefined) throw error;
    const list = (patterns: readonly RegExp[] | null | undefined) =>
      (patterns ?? []).map(({ source }) => source).join();
    this.asked.push(
      `start ${request.signalId} ${list(request.tables)} without ${list(request.without)} ${request.kind}`,
    );
    this.isRunning = true;
    begun?.();
    this.stored.push(this.inbox.waiting.map(({ id }) => id).join());
    return accepted(STATUS);
  }

  async send(...signals: SignalText[]): Promise<void> {
    this.signals.receive(signals);
    await this.act();
  }

  async act(): Promise<void> {
    this.signals.act();
    await awaitUntil('nothing is left to do', async () => {
      await new Promise(setImmediate);
      return true;
    });
  }
}

function execute(id: string, table: string, type = 'INCREMENTAL'): SignalText {
  return { id, type: 'execute-snapshot', data: JSON.stringify({ 'data-collections': [table], type }) };
}

function stop(id: string, ...tables: string[]): SignalText {
  return { id, type: 'stop-snapshot', data: JSON.stringify({ 'data-collections': tables }) };
}

describe('SourceSignals', () => {
  it('begins one snapshot after the other, in their order', async () => {
    const stage = new Stage();
    await stage.send(execute('1', 'a'), execute('2', 'b', 'BLOCKING'), execute('3', 'c'));
    assert.deepEqual(stage.asked, ['start 1 ^a$ without  incremental']);
    assert.deepEqual(
      stage.inbox.waiting.map(({ id }) => id),
      ['2', '3'],
    );
    assert.equal(stage.stored.at(0), '2,3', 'what has begun is not stored as waiting at any time');
    for (const _ of [2, 3]) {
      stage.isRunning = false;
      await stage.act();
    }
    assert.deepEqual(stage.asked.slice(1), ['start 2 ^b$ without  initial', 'start 3 ^c$ without  incremental']);
    assert.deepEqual(stage.inbox.waiting, []);
  });

  it('stops what waits before the stop, and nothing behind it', async () => {
    const stage = new Stage();
    stage.isRunning = true;
    await stage.send(execute('1', '.*'), stop('s', 'a', 'b'), execute('2', 'a'));
    assert.deepEqual(stage.asked, ['stop ^a$,^b$']);
    stage.isRunning = false;
    await stage.act();
    assert.deepEqual(stage.asked.slice(1), ['start 1 ^.*$ without ^a$,^b$ incremental']);
    await stage.send(stop('all'), execute('3', 'c'));
    assert.deepEqual(stage.asked.slice(2), ['stop all', 'start 3 ^c$ without  incremental']);
    assert.deepEqual(stage.inbox.waiting, []);
    assert.deepEqual(stage.failures, []);
  });

  it('does not stop what is due by itself', async () => {
    const stage = new Stage();
    stage.isRunning = true;
    stage.isDueByItself = true;
    await stage.send(execute('1', 'a'), stop('s'));
    assert.deepEqual([stage.asked, stage.inbox.waiting], [[], []]);
    assert.deepEqual(stage.logged, ['warn s a signal does not stop an initial snapshot']);
  });

  it('acts on the same id twice, and on what was stored before', async () => {
    const stored = { waiting: [{ ...execute('1', 'a'), without: [] }], topic: null };
    const stage = new Stage(new SignalInbox(stored, null));
    await stage.send(execute('1', 'b'));
    stage.isRunning = false;
    await stage.act();
    assert.deepEqual(
      stage.asked.map((asked) => asked.split(' ')[2]),
      ['^a$', '^b$'],
    );
  });

  it('says what is wrong and goes on', async () => {
    const stage = new Stage();
    stage.signals.receive([{ fault: 'id, type and data are not text' }]);
    await stage.send(
      { id: '1', type: 'reboot', data: '' },
      { id: '2', type: 'pause-snapshot', data: '' },
      { id: '3', type: 'log', data: '{"message": "at {}"}' },
    );
    assert.deepEqual(stage.logged, [
      'warn null a signal was passed over: id, type and data are not text',
      'warn 1 a signal was passed over: its type is not known',
      'warn 2 a signal was not carried out: No snapshot.',
      'info 3 at P1',
    ]);
    assert.deepEqual(stage.inbox.waiting, []);
    assert.equal(stage.stored.at(-1), '');
  });

  it('tries again what fails in passing', async () => {
    const stage = new Stage();
    stage.errors.push(new TransientError('away', { code: 'AWAY', remedy: 'Wait.' }));
    await stage.send(execute('1', 'a'));
    await awaitUntil('it has begun', () => stage.asked.length === 1);
    assert.deepEqual(stage.inbox.waiting, []);
  });

  it('refuses more than can be stored', async () => {
    const stage = new Stage();
    stage.isRunning = true;
    await stage.send(...Array.from({ length: 102 }, (_, index) => execute(String(index), 'a')));
    assert.equal(stage.inbox.waiting.length, 100);
    assert.equal(stage.logged.filter((line) => /others are waiting/.test(line)).length, 2);
  });

  it('does nothing once the run has ended', async () => {
    const stage = new Stage();
    await stage.signals[Symbol.asyncDispose]();
    await stage.send(execute('1', 'a'));
    assert.deepEqual([stage.asked, stage.inbox.waiting.length], [[], 1], 'the next run acts on it');
  });
});
