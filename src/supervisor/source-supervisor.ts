import { FatalError } from '../core/errors.ts';
import { OneAtATime } from '../core/one-at-a-time.ts';
import { accepted, conflict, type OperationOutcome } from '../core/operation-outcome.ts';
import type { SnapshotControl } from '../core/snapshot-control.ts';
import type { SnapshotStatus } from '../core/snapshot-status.ts';
import type { ResyncRequest } from '../core/source-operations.ts';
import type { RunRequest, SourceRunner } from '../core/source-runner.ts';
import type { SourceProblem, SourceStateName, SourceStatus } from '../core/source-status.ts';
import { AttemptLoop, type AttemptLoopParts, type StopOutcome } from './attempt-loop.ts';
import { SourceCondition, type SupervisorDependencies } from './source-condition.ts';

/** What a source came to that was to run until it had caught up. */
export type CaughtUpOutcome = 'caught-up' | 'resync-required' | 'failed' | 'stopped';

export interface SupervisedSource {
  readonly name: string;
  readonly type: string;
  /** A new runner for each attempt. What it throws is a failed attempt. */
  readonly createRunner: (request: RunRequest) => SourceRunner;
}

/** How long an operator's pause or resync lets the runner finish what it has begun. */
const PAUSE_DEADLINE_MS = 25_000;

/**
 * One source and what is done to it: runs it in attempts, pauses, resumes and resyncs it, and stops it for good. Whatever a
 * runner does stays inside.
 */
export class SourceSupervisor {
  readonly #source: SupervisedSource;
  readonly #condition: SourceCondition;
  readonly #parts: AttemptLoopParts;
  readonly #killRequest = new AbortController();
  readonly #caughtUp = Promise.withResolvers<CaughtUpOutcome>();
  #loop: AttemptLoop | null = null;
  #stopped: Promise<StopOutcome> | null = null;
  /** A runner was left alone: another beside it would fight with it over the source. */
  #abandoned = false;
  readonly #operations = new OneAtATime();
  readonly #snapshotOperations = new OneAtATime();

  constructor(source: SupervisedSource, dependencies: SupervisorDependencies) {
    const { clock } = dependencies;
    const logger = dependencies.logger.child({ source: source.name });
    this.#source = source;
    this.#condition = new SourceCondition(source, { ...dependencies, logger });
    this.#parts = {
      createRunner: source.createRunner,
      condition: this.#condition,
      clock,
      logger,
      onReachedStart: () => this.#caughtUp.resolve('caught-up'),
      onCompleted: () => this.#caughtUp.resolve('caught-up'),
      onCircuitOpen: () => this.#caughtUp.resolve('failed'),
      onEnd: (state) => this.#caughtUp.resolve(state),
    };
  }

  get name(): string {
    return this.#source.name;
  }

  /**
   * Resolves once everything from before the start is published, or with what stands in its way: also `failed` where the
   * circuit opens, although attempts go on.
   */
  get caughtUp(): Promise<CaughtUpOutcome> {
    return this.#caughtUp.promise;
  }

  start(): void {
    if (this.#loop === null && this.#stopped === null) this.#loop = AttemptLoop.start(this.#parts);
  }

  /** Ends the source for good, within the deadline or by force. Calling it again gives the same promise. */
  stop(deadlineMs: number): Promise<StopOutcome> {
    this.#stopped ??= this.#shutDown(deadlineMs);
    return this.#stopped;
  }

  /** Cuts the graceful part of a stop short; also of one that comes later. */
  kill(): void {
    this.#killRequest.abort();
  }

  /** As `SourceOperations.pause`. */
  pause(): Promise<OperationOutcome<SourceStatus>> {
    return this.#inTurn(this.#operations, async () => {
      const { state } = this.#condition.machine;
      if (state === 'paused') return accepted(this.status());
      if (state === 'failed' || state === 'resync-required' || state === 'completed') {
        return this.#refuse('SOURCE_NOT_RUNNING', `nothing runs that could be paused: it is ${state}`);
      }
      return (await this.#halt('an operator paused it')) ?? accepted(this.status());
    });
  }

  /** As `SourceOperations.resume`. */
  resume(): Promise<OperationOutcome<SourceStatus>> {
    return this.#inTurn(this.#operations, async () => {
      const { state } = this.#condition.machine;
      if (state === 'starting' || state === 'snapshotting' || state === 'streaming') {
        return this.#refuse('SOURCE_NOT_PAUSED', `it runs already: it is ${state}`);
      }
      if (state === 'completed') {
        return this.#refuse(
          'SOURCE_COMPLETED',
          'it has read its tables, and snapshot.mode says that it is not to stream',
        );
      }
      if (state === 'backing-off') this.#loop?.wake();
      else this.#begin('an operator resumed it');
      return accepted(this.status());
    });
  }

  /** As `SourceOperations.resync`. */
  resync({ keepsDeleted = false }: ResyncRequest = {}): Promise<OperationOutcome<SourceStatus>> {
    return this.#inTurn(this.#operations, async () => {
      const { state } = this.#condition.machine;
      const isRunning = !RESTING.has(state);
      if (isRunning) {
        const refused = await this.#halt('an operator asked for a resync');
        if (refused !== null) return refused;
      }
      this.#condition.resyncPending = true;
      this.#condition.keepsDeleted = keepsDeleted;
      this.#begin('an operator asked for a resync');
      return accepted(this.status());
    });
  }

  /** Carries `operation` out on the snapshots of the attempt that runs. */
  onSnapshots(
    operation: (control: SnapshotControl) => Promise<OperationOutcome<SnapshotStatus>>,
  ): Promise<OperationOutcome<SnapshotStatus>> {
    return this.#inTurn(this.#snapshotOperations, async () => {
      const control = this.#loop?.snapshots ?? null;
      const { state } = this.#condition.machine;
      if (control === null)
        return this.#refuse('SNAPSHOT_UNAVAILABLE', `no snapshot can be controlled: it is ${state}`);
      const ended = this.#loop!.ended.then(() =>
        this.#refuse('SNAPSHOT_UNAVAILABLE', 'it stopped before it had answered; its status says what became of it'),
      );
      return Promise.race([operation(control), ended]);
    });
  }

  get snapshot(): SnapshotStatus | null {
    return this.#condition.snapshot;
  }

  status(): SourceStatus {
    return this.#condition.status();
  }

  /** As `SourceCondition.stuck`. */
  stuck(): SourceProblem | null {
    return this.#condition.stuck();
  }

  /** As `SourceCondition.notReady`. */
  notReady(): SourceProblem | null {
    return this.#condition.notReady();
  }

  refreshMetrics(): void {
    this.#condition.refreshMetrics();
  }

  /** One operation after the other (a snapshot's do not wait for the source's); none once the source is stopping. */
  #inTurn<T>(turns: OneAtATime, operation: () => Promise<OperationOutcome<T>>): Promise<OperationOutcome<T>> {
    return turns.run(async () => {
      if (this.#stopped !== null) return this.#refuse('SOURCE_STOPPING', 'the daemon is stopping');
      if (this.#abandoned) return this.#refuse('SOURCE_ABANDONED', 'what runs of it could not be ended');
      return operation();
    });
  }

  /** Ends the running loop and moves to `paused`; the refusal where it came to something else. */
  async #halt(reason: string): Promise<OperationOutcome<never> | null> {
    const { machine, retries } = this.#condition;
    const outcome = (await this.#loop?.halt(PAUSE_DEADLINE_MS, this.#killRequest.signal)) ?? 'graceful';
    if (this.#stopped !== null) return this.#refuse('SOURCE_STOPPING', 'the daemon is stopping');
    if (outcome === 'abandoned') {
      this.#abandoned = true;
      this.#condition.brokeDown('SOURCE_ABANDONED', abandoned(this.name));
      return this.#refuse('SOURCE_ABANDONED', 'what runs of it could not be ended');
    }
    if (!machine.canMoveTo('paused')) {
      return this.#refuse('SOURCE_NOT_RUNNING', `it ended by itself before it could be paused: it is ${machine.state}`);
    }
    retries.forget();
    machine.moveTo('paused', reason);
    return null;
  }

  #begin(reason: string): void {
    this.#condition.machine.moveTo('starting', reason);
    this.#loop = AttemptLoop.start(this.#parts);
  }

  #refuse(code: keyof typeof REMEDIES, message: string): OperationOutcome<never> {
    return conflict(code, `Source ${this.name}: ${message}.`, REMEDIES[code]);
  }

  async #shutDown(deadlineMs: number): Promise<StopOutcome> {
    const { machine, retries } = this.#condition;
    machine.moveTo('stopping', 'a stop was requested');
    retries.forget();
    this.#caughtUp.resolve('stopped');
    const outcome = (await this.#loop?.halt(deadlineMs, this.#killRequest.signal)) ?? 'graceful';
    machine.moveTo('stopped', outcome);
    return outcome;
  }
}

/** Nothing runs in these, and something can be begun. */
const RESTING: ReadonlySet<SourceStateName> = new Set(['paused', 'completed', 'failed', 'resync-required']);

const REMEDIES = {
  SOURCE_NOT_RUNNING: 'Where it has failed, its last_error says why: mend that and resume it, or resync it.',
  SOURCE_NOT_PAUSED: 'There is nothing to resume.',
  SOURCE_COMPLETED: 'Set snapshot.mode: initial and restart the daemon to stream on; resync it to read again.',
  SOURCE_STOPPING: 'Wait until the daemon runs again.',
  SOURCE_ABANDONED: 'Restart the daemon, and report it with the log.',
  SNAPSHOT_UNAVAILABLE: 'Wait until the source streams, and ask again.',
} as const;

function abandoned(source: string): FatalError {
  return new FatalError('The source did not end when it was told to, and not when it was killed.', {
    code: 'SOURCE_ABANDONED',
    remedy: REMEDIES.SOURCE_ABANDONED,
    source,
  });
}
