import { accepted, type OperationOutcome, unknown } from '../core/operation-outcome.ts';
import type { SnapshotRequest } from '../core/snapshot-control.ts';
import type { SnapshotStatus } from '../core/snapshot-status.ts';
import type { ResyncRequest, SourceOperations } from '../core/source-operations.ts';
import type { HealthVerdict, SourceProblem, SourceStatus, StatusProvider } from '../core/source-status.ts';
import type { StopOutcome } from './attempt-loop.ts';
import type { SupervisorDependencies } from './source-condition.ts';
import { type CaughtUpOutcome, SourceSupervisor, type SupervisedSource } from './source-supervisor.ts';

export interface StopReport {
  readonly outcomes: ReadonlyMap<string, StopOutcome>;
  /** 0 when every source stopped gracefully (one that had failed before has nothing left to finish), else 1. */
  readonly exitCode: 0 | 1;
}

/**
 * Runs the sources of the daemon beside each other. None disturbs another, and the daemon goes on when all of them have
 * failed, so that their state and its remedy can be seen.
 */
export class Supervisor implements StatusProvider, SourceOperations {
  readonly #sources: readonly SourceSupervisor[];
  readonly #stopped = Promise.withResolvers<StopReport>();
  #stopping = false;

  constructor(sources: readonly SupervisedSource[], dependencies: SupervisorDependencies) {
    this.#sources = sources.map((source) => new SourceSupervisor(source, dependencies));
  }

  start(): void {
    for (const source of this.#sources) source.start();
  }

  /** Stops all sources at the same time; each has the whole deadline. Never rejects; again gives the same report. */
  stop(deadlineMs: number): Promise<StopReport> {
    if (!this.#stopping) {
      this.#stopping = true;
      this.#stopped.resolve(this.#stopAll(deadlineMs));
    }
    return this.#stopped.promise;
  }

  /** Cuts a stop short. */
  kill(): void {
    for (const source of this.#sources) source.kill();
  }

  /** Resolves after somebody has called `stop` and it is done. */
  waitUntilStopped(): Promise<StopReport> {
    return this.#stopped.promise;
  }

  /** Resolves when the source has published everything from before its start, or with what stands in its way. */
  async caughtUp(source: string): Promise<CaughtUpOutcome> {
    return this.#find(source)?.caughtUp ?? 'stopped';
  }

  pause(source: string): Promise<OperationOutcome<SourceStatus>> {
    return this.#on(source, (supervised) => supervised.pause());
  }

  resume(source: string): Promise<OperationOutcome<SourceStatus>> {
    return this.#on(source, (supervised) => supervised.resume());
  }

  resync(source: string, request?: ResyncRequest): Promise<OperationOutcome<SourceStatus>> {
    return this.#on(source, (supervised) => supervised.resync(request));
  }

  startSnapshot(source: string, request: SnapshotRequest): Promise<OperationOutcome<SnapshotStatus>> {
    return this.#on(source, (supervised) => supervised.onSnapshots((control) => control.start(request)));
  }

  snapshotStatus(source: string): OperationOutcome<SnapshotStatus | null> {
    const supervised = this.#find(source);
    return supervised === undefined ? this.#unknown() : accepted(supervised.snapshot);
  }

  pauseSnapshot(source: string): Promise<OperationOutcome<SnapshotStatus>> {
    return this.#on(source, (supervised) => supervised.onSnapshots((control) => control.pause()));
  }

  resumeSnapshot(source: string): Promise<OperationOutcome<SnapshotStatus>> {
    return this.#on(source, (supervised) => supervised.onSnapshots((control) => control.resume()));
  }

  stopSnapshot(source: string): Promise<OperationOutcome<SnapshotStatus>> {
    return this.#on(source, (supervised) => supervised.onSnapshots((control) => control.stop()));
  }

  statuses(): readonly SourceStatus[] {
    return this.#sources.map((source) => source.status());
  }

  live(): HealthVerdict {
    return verdict(this.#sources.map((source) => source.stuck()));
  }

  ready(): HealthVerdict {
    return verdict(this.#sources.map((source) => source.notReady()));
  }

  /** Brings gauges that change with time alone up to date; call it before each collection. */
  refreshMetrics(): void {
    for (const source of this.#sources) source.refreshMetrics();
  }

  async #on<T>(
    source: string,
    operation: (supervised: SourceSupervisor) => Promise<OperationOutcome<T>>,
  ): Promise<OperationOutcome<T>> {
    const supervised = this.#find(source);
    return supervised === undefined ? this.#unknown() : operation(supervised);
  }

  #find(source: string): SourceSupervisor | undefined {
    return this.#sources.find(({ name }) => name === source);
  }

  #unknown(): OperationOutcome<never> {
    const names = this.#sources.map(({ name }) => name).join(', ');
    return unknown('SOURCE_UNKNOWN', 'There is no source of this name.', `The sources are: ${names}.`);
  }

  async #stopAll(deadlineMs: number): Promise<StopReport> {
    const outcomes = new Map(
      await Promise.all(this.#sources.map(async (source) => [source.name, await source.stop(deadlineMs)] as const)),
    );
    return { outcomes, exitCode: [...outcomes.values()].every((outcome) => outcome === 'graceful') ? 0 : 1 };
  }
}

function verdict(problems: readonly (SourceProblem | null)[]): HealthVerdict {
  const found = problems.filter((problem) => problem !== null);
  return { ok: found.length === 0, problems: found };
}
