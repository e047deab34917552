import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/logger.ts';
import type { Metrics } from '../core/metrics.ts';
import type { RunProgress, SourceRunner, WaitReason } from '../core/source-runner.ts';
import type { SourceProblem, SourceStatus, StatusError } from '../core/source-status.ts';
import { type BackoffSettings, DEFAULT_BACKOFF } from './backoff.ts';
import { ProgressGauges } from './progress-gauges.ts';
import { RetrySchedule } from './retry-schedule.ts';
import { RunRecord } from './run-record.ts';
import { settlesWithin } from './settles-within.ts';
import { type AttemptEnd, SourceAttempt } from './source-attempt.ts';
import { classifyFailure, FAILURE_CLASSES, type SourceFailure, statusError } from './source-failure.ts';
import { SourceStateMachine } from './state-machine.ts';

/** How the end of a source went: `graceful` lost no time, the others mean that work will be repeated at the next start. */
export type StopOutcome = 'graceful' | 'error' | 'killed' | 'abandoned';

/** What a source came to that was to run until it had caught up. */
export type CaughtUpOutcome = 'caught-up' | 'resync-required' | 'failed' | 'stopped';

export interface SupervisedSource {
  readonly name: string;
  readonly type: string;
  /** A new runner for each attempt. What it throws is a failed attempt. */
  readonly createRunner: () => SourceRunner;
}

export interface SupervisorDependencies {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly backoff?: BackoffSettings;
  /** In [0, 1), for the jitter. */
  readonly random?: () => number;
}

/** A loop that streams and has given no sign of life for this long is stuck. */
const STUCK_AFTER_MS = 30_000;
/** How long a killed runner may take to end before it is left alone. */
const KILL_GRACE_MS = 5_000;

/**
 * Keeps one source running: an attempt after the other, each with a new runner, until it is stopped or an error says that
 * trying again is of no use. Never throws and never rejects: whatever a runner does stays inside.
 */
export class SourceSupervisor {
  readonly #source: SupervisedSource;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #machine: SourceStateMachine;
  readonly #record = new RunRecord();
  readonly #errors: ReadonlyMap<SourceFailure['class'], { add(value: number): void }>;
  readonly #restarts: { add(value: number): void };
  readonly #retries: RetrySchedule;
  readonly #gauges: ProgressGauges;
  readonly #waiting: { set(value: number): void };
  readonly #stopRequest = new AbortController();
  readonly #killRequest = new AbortController();
  readonly #caughtUp = Promise.withResolvers<CaughtUpOutcome>();
  #attempt: SourceAttempt | null = null;
  #loop: Promise<void> = Promise.resolve();
  #started = false;
  #stopped: Promise<StopOutcome> | null = null;
  #stopFailed = false;
  #lastError: StatusError | null = null;

  constructor(source: SupervisedSource, dependencies: SupervisorDependencies) {
    const { metrics } = dependencies;
    const labels = { source: source.name };
    this.#source = source;
    this.#clock = dependencies.clock;
    this.#logger = dependencies.logger.child(labels);
    const errors = metrics.counter('tailrace_errors_total');
    this.#errors = new Map(FAILURE_CLASSES.map((name) => [name, errors.bind({ ...labels, class: name })]));
    this.#restarts = metrics.counter('tailrace_restarts_total').bind(labels);
    const circuit = metrics.gauge('tailrace_source_circuit_open').bind(labels);
    this.#retries = new RetrySchedule(
      dependencies.backoff ?? DEFAULT_BACKOFF,
      dependencies.random ?? Math.random,
      circuit,
    );
    this.#gauges = new ProgressGauges(source, metrics);
    this.#waiting = metrics.gauge('tailrace_source_waiting').bind(labels);
    this.#machine = new SourceStateMachine({
      source: source.name,
      clock: this.#clock,
      logger: this.#logger,
      metrics,
    });
  }

  get name(): string {
    return this.#source.name;
  }

  /** Resolves the first time that everything of the source is published, or when that cannot happen any more. */
  get caughtUp(): Promise<CaughtUpOutcome> {
    return this.#caughtUp.promise;
  }

  start(): void {
    if (this.#started || this.#stopped !== null) return;
    this.#started = true;
    this.#loop = this.#supervise().catch((error: unknown) => this.#breakDown(error));
  }

  /**
   * Lets the runner finish what it has begun; kills it after `deadlineMs` (or at once after `kill`) and leaves it alone
   * when even that does not end it. Calling it again gives the same promise.
   */
  stop(deadlineMs: number): Promise<StopOutcome> {
    this.#stopped ??= this.#shutDown(deadlineMs);
    return this.#stopped;
  }

  /** Cuts the graceful part of a stop short; also of one that comes later. */
  kill(): void {
    this.#killRequest.abort();
  }

  status(): SourceStatus {
    const nowUs = this.#clock.nowUs();
    return {
      name: this.#source.name,
      type: this.#source.type,
      state: this.#machine.state,
      since: new Date(this.#machine.sinceMs).toISOString(),
      position: this.#record.position,
      lag_seconds: this.#record.lagSeconds(nowUs),
      changes_total: this.#record.changes,
      changes_per_second: this.#record.changesPerSecond(nowUs),
      in_flight_bytes: this.#record.inFlightBytes,
      snapshot: null,
      retained_wal_bytes: this.#record.retainedWalBytes,
      last_error: this.#lastError,
      retry: this.#retries.status(),
    };
  }

  /** Why only a restart of the process would help, or null. Waiting (for a slot, a pause) is not being stuck. */
  stuck(): SourceProblem | null {
    const { state } = this.#machine;
    if (this.#attempt === null || (state !== 'streaming' && state !== 'snapshotting')) return null;
    const { silentMs } = this.#attempt;
    if (silentMs <= STUCK_AFTER_MS) return null;
    const detail = `The loop has given no sign of life for ${Math.floor(silentMs / 1000)} s.`;
    return { source: this.#source.name, state, detail };
  }

  /** Why the source does not do its work now, or null. */
  notReady(): SourceProblem | null {
    const { state } = this.#machine;
    const waitingFor = this.#attempt?.waitingFor ?? null;
    if (waitingFor !== null) {
      const detail = `The source waits. ${waitingFor.code}: ${waitingFor.message} ${waitingFor.remedy}`;
      return { source: this.#source.name, state, detail };
    }
    if (state === 'streaming' || state === 'snapshotting' || state === 'paused') return this.stuck();
    const error = state === 'starting' || state === 'stopping' || state === 'stopped' ? null : this.#lastError;
    const detail = error === null ? `The source is ${state}.` : `${error.code}: ${error.message} ${error.remedy}`;
    return { source: this.#source.name, state, detail };
  }

  /** Lag grows with time alone, above all while nothing runs that could report it: call this before each collection. */
  refreshMetrics(): void {
    this.#gauges.show(this.#record, this.#clock.nowUs());
    this.#waiting.set(this.#attempt?.waitingFor ? 1 : 0);
  }

  async #supervise(): Promise<void> {
    for (;;) {
      const end = await this.#runAttempt();
      if (end.kind === 'stopped') return;
      if (this.#stopRequest.signal.aborted) {
        this.#noteFailedStop(end.thrown);
        return;
      }
      const pauseMs = this.#noteFailure(end.thrown);
      if (pauseMs === null) return;
      await this.#pause(pauseMs);
      // Asked here and not in the pause: a stop can come between its end and this line.
      if (this.#stopRequest.signal.aborted) return;
      this.#retries.attemptBegins();
      this.#restarts.add(1);
      this.#machine.moveTo('starting', 'the pause is over', { failures: this.#retries.failures });
    }
  }

  async #runAttempt(): Promise<AttemptEnd> {
    const attempt = new SourceAttempt(this.#clock, {
      streaming: () => this.#onStreaming(),
      progress: (progress) => this.#onProgress(attempt, progress),
      waiting: (reason) => this.#onWaiting(reason),
    });
    this.#attempt = attempt;
    const end = await attempt.run(this.#source.createRunner);
    this.#retries.streamed(attempt.streamedMs);
    this.#attempt = null;
    this.#record.endAttempt();
    return end;
  }

  #onStreaming(): void {
    if (this.#stopRequest.signal.aborted || this.#machine.state === 'streaming') return;
    this.#machine.moveTo('streaming', 'the stream is open');
  }

  #onProgress(attempt: SourceAttempt, progress: RunProgress): void {
    this.#record.add(progress, this.#clock.nowUs());
    this.#retries.streamed(attempt.streamedMs);
    if (progress.caughtUp && this.#machine.state === 'streaming') this.#caughtUp.resolve('caught-up');
  }

  /** An error in the status, although the attempt has not failed: the source stands still because of it. */
  #onWaiting({ code, message, remedy }: WaitReason): void {
    this.#lastError = { code, message, remedy, at: new Date(this.#clock.nowMs()).toISOString() };
  }

  /** Moves to where the failure leads. Gives the pause before the next attempt; null when there is none. */
  #noteFailure(thrown: unknown): number | null {
    const failure = classifyFailure(thrown);
    this.#errors.get(failure.class)?.add(1);
    this.#lastError = statusError(failure, new Date(this.#clock.nowMs()));
    const fields = { error: thrown, error_class: failure.class };
    if (failure.next !== 'backing-off') {
      this.#retries.forget();
      this.#machine.moveTo(failure.next, failure.code, fields);
      this.#caughtUp.resolve(failure.next);
      return null;
    }
    const { pauseMs, circuitOpen } = this.#retries.fail(this.#clock.nowMs());
    const retry = { failures: this.#retries.failures, pause_ms: pauseMs, circuit_open: circuitOpen };
    this.#machine.moveTo('backing-off', failure.code, { ...fields, ...retry });
    return pauseMs;
  }

  #noteFailedStop(thrown: unknown): void {
    const failure = classifyFailure(thrown);
    this.#errors.get(failure.class)?.add(1);
    this.#lastError = statusError(failure, new Date(this.#clock.nowMs()));
    this.#stopFailed = true;
    this.#logger.error({ error: thrown, error_class: failure.class }, 'the stop was not graceful');
  }

  /** Ends early when the source is told to stop. */
  async #pause(pauseMs: number): Promise<void> {
    const { signal } = this.#stopRequest;
    try {
      await this.#clock.sleep(pauseMs, signal);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  /** A bug of the supervisor itself: the source ends as failed, the others run on. */
  #breakDown(error: unknown): void {
    this.#attempt?.kill();
    this.#lastError = statusError(classifyFailure(error), new Date(this.#clock.nowMs()));
    if (this.#machine.canMoveTo('failed')) this.#machine.moveTo('failed', 'SUPERVISION_BROKEN', { error });
    this.#caughtUp.resolve('failed');
  }

  async #shutDown(deadlineMs: number): Promise<StopOutcome> {
    this.#machine.moveTo('stopping', 'a stop was requested');
    this.#retries.forget();
    this.#caughtUp.resolve('stopped');
    this.#stopRequest.abort();
    this.#attempt?.stop();
    const outcome = await this.#endOfLoop(deadlineMs);
    this.#machine.moveTo('stopped', outcome);
    return outcome;
  }

  async #endOfLoop(deadlineMs: number): Promise<StopOutcome> {
    if (await settlesWithin(this.#loop, deadlineMs, this.#clock, this.#killRequest.signal)) {
      return this.#stopFailed ? 'error' : 'graceful';
    }
    const cause = this.#killRequest.signal.aborted ? 'a second interrupt' : `the deadline of ${deadlineMs} ms`;
    this.#logger.warn({ deadline_ms: deadlineMs }, `the graceful stop is cut short by ${cause}`);
    this.#attempt?.kill();
    if (await settlesWithin(this.#loop, KILL_GRACE_MS, this.#clock)) return 'killed';
    this.#logger.error({ grace_ms: KILL_GRACE_MS }, 'the source did not end when killed and is left alone');
    return 'abandoned';
  }
}
