import type { HealthVerdict, SourceProblem, SourceStatus, StatusProvider } from '../core/source-status.ts';
import {
  type CaughtUpOutcome,
  SourceSupervisor,
  type StopOutcome,
  type SupervisedSource,
  type SupervisorDependencies,
} from './source-supervisor.ts';

export interface StopReport {
  readonly outcomes: ReadonlyMap<string, StopOutcome>;
  /** 0 when every source stopped gracefully (one that had failed before has nothing left to finish), else 1. */
  readonly exitCode: 0 | 1;
}

/**
 * Runs the sources of the daemon beside each other. None disturbs another, and the daemon goes on when all of them have
 * failed, so that their state and its remedy can be seen.
 */
export class Supervisor implements StatusProvider {
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

  /** Resolves when each source has published everything once, or has ended without that. */
  async waitUntilCaughtUp(): Promise<ReadonlyMap<string, CaughtUpOutcome>> {
    return new Map(
      await Promise.all(this.#sources.map(async (source) => [source.name, await source.caughtUp] as const)),
    );
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
