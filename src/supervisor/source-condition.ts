import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/logger.ts';
import type { Metrics } from '../core/metrics.ts';
import type { SnapshotStatus } from '../core/snapshot-status.ts';
import type { RunProgress, RunRequest, WaitReason } from '../core/source-runner.ts';
import type { SourceProblem, SourceStatus, StatusError } from '../core/source-status.ts';
import { type BackoffSettings, DEFAULT_BACKOFF, type Pause } from './backoff.ts';
import { ProgressGauges } from './progress-gauges.ts';
import { RetrySchedule } from './retry-schedule.ts';
import { RunRecord } from './run-record.ts';
import type { SourceAttempt } from './source-attempt.ts';
import { classifyFailure, FAILURE_CLASSES, type SourceFailure, statusError } from './source-failure.ts';
import { SourceStateMachine } from './state-machine.ts';

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

/** What is known of one source, over all of its attempts: state, progress, errors. The source's one mutable memory. */
export class SourceCondition {
  readonly machine: SourceStateMachine;
  readonly retries: RetrySchedule;
  readonly #source: { readonly name: string; readonly type: string };
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #record = new RunRecord();
  readonly #errors: ReadonlyMap<SourceFailure['class'], { add(value: number): void }>;
  readonly #restarts: { add(value: number): void };
  readonly #gauges: ProgressGauges;
  readonly #waiting: { set(value: number): void };
  #attempt: SourceAttempt | null = null;
  #lastSnapshot: SnapshotStatus | null = null;
  #lastError: StatusError | null = null;
  /** The operator wants to start over, and no attempt has come as far as to do it. */
  resyncPending = false;
  /** Of that resync. */
  keepsDeleted = false;

  /** `dependencies.logger` is bound to the source. */
  constructor(source: { readonly name: string; readonly type: string }, dependencies: SupervisorDependencies) {
    const { metrics, clock, logger, backoff = DEFAULT_BACKOFF, random = Math.random } = dependencies;
    const labels = { source: source.name };
    this.#source = source;
    this.#clock = clock;
    this.#logger = logger;
    const errors = metrics.counter('tailrace_errors_total');
    this.#errors = new Map(FAILURE_CLASSES.map((name) => [name, errors.bind({ ...labels, class: name })]));
    this.#restarts = metrics.counter('tailrace_restarts_total').bind(labels);
    this.retries = new RetrySchedule(backoff, random, metrics.gauge('tailrace_source_circuit_open').bind(labels));
    this.#gauges = new ProgressGauges(source, metrics);
    this.#waiting = metrics.gauge('tailrace_source_waiting').bind(labels);
    this.machine = new SourceStateMachine({ source: source.name, clock, logger, metrics });
  }

  get runRequest(): RunRequest {
    return { resync: this.resyncPending, ...(this.resyncPending && this.keepsDeleted ? { keepsDeleted: true } : {}) };
  }

  attemptBegins(attempt: SourceAttempt): void {
    this.#attempt = attempt;
  }

  attemptEnds(attempt: SourceAttempt): void {
    this.retries.streamed(attempt.streamedMs);
    this.#lastSnapshot = attempt.snapshot ?? this.#lastSnapshot;
    this.#attempt = null;
    this.#record.endAttempt();
  }

  progressed(attempt: SourceAttempt, progress: RunProgress): void {
    this.#record.add(progress, this.#clock.nowUs());
    this.retries.streamed(attempt.streamedMs);
  }

  /** An error in the status, although the attempt has not failed: the source stands still because of it. */
  waits({ code, message, remedy }: WaitReason): void {
    this.#lastError = { code, message, remedy, at: new Date(this.#clock.nowMs()).toISOString() };
  }

  tryAgain(): void {
    this.retries.attemptBegins();
    this.#restarts.add(1);
    this.machine.moveTo('starting', 'the pause is over', { failures: this.retries.failures });
  }

  /** Moves to where the failure leads. Gives the pause before the next attempt, or the state that stays. */
  failed(thrown: unknown): Pause | { readonly end: 'failed' | 'resync-required' } {
    const failure = this.#note(thrown);
    const fields = { error: thrown, error_class: failure.class };
    if (failure.next !== 'backing-off') {
      this.retries.forget();
      this.machine.moveTo(failure.next, failure.code, fields);
      return { end: failure.next };
    }
    const { pauseMs, circuitOpen } = this.retries.fail(this.#clock.nowMs());
    const retry = { failures: this.retries.failures, pause_ms: pauseMs, circuit_open: circuitOpen };
    this.machine.moveTo('backing-off', failure.code, { ...fields, ...retry });
    return { pauseMs, circuitOpen };
  }

  failedToStop(thrown: unknown): void {
    const failure = this.#note(thrown);
    this.#logger.error({ error: thrown, error_class: failure.class }, 'the stop was not graceful');
  }

  /** Trying again is of no use, whatever class the error has. */
  brokeDown(code: string, error: unknown): void {
    this.#lastError = statusError(classifyFailure(error), new Date(this.#clock.nowMs()));
    if (this.machine.canMoveTo('failed')) this.machine.moveTo('failed', code, { error });
  }

  status(): SourceStatus {
    const nowUs = this.#clock.nowUs();
    return {
      name: this.#source.name,
      type: this.#source.type,
      state: this.machine.state,
      since: new Date(this.machine.sinceMs).toISOString(),
      position: this.#record.position,
      lag_seconds: this.#record.lagSeconds(nowUs),
      changes_total: this.#record.changes,
      changes_per_second: this.#record.changesPerSecond(nowUs),
      in_flight_bytes: this.#record.inFlightBytes,
      snapshot: this.snapshot,
      retained_wal_bytes: this.#record.retainedWalBytes,
      last_error: this.#lastError,
      retry: this.retries.status(),
    };
  }

  get snapshot(): SnapshotStatus | null {
    return this.#attempt?.snapshot ?? this.#lastSnapshot;
  }

  /** Why only a restart of the process would help, or null. Waiting (for a slot, a pause) is not being stuck. */
  stuck(): SourceProblem | null {
    const { state } = this.machine;
    if (this.#attempt === null || (state !== 'streaming' && state !== 'snapshotting')) return null;
    const { silentMs } = this.#attempt;
    if (silentMs <= STUCK_AFTER_MS) return null;
    const detail = `The loop has given no sign of life for ${Math.floor(silentMs / 1000)} s.`;
    return { source: this.#source.name, state, detail };
  }

  /** Why the source does not do its work now, or null. */
  notReady(): SourceProblem | null {
    const { state } = this.machine;
    const waitingFor = this.#attempt?.waitingFor ?? null;
    if (waitingFor !== null) {
      const detail = `The source waits. ${waitingFor.code}: ${waitingFor.message} ${waitingFor.remedy}`;
      return { source: this.#source.name, state, detail };
    }
    if (state === 'completed') return null;
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

  #note(thrown: unknown): SourceFailure {
    const failure = classifyFailure(thrown);
    this.#errors.get(failure.class)?.add(1);
    this.#lastError = statusError(failure, new Date(this.#clock.nowMs()));
    return failure;
  }
}
