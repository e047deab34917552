import type { RunObserver, RunProgress, SourceRunner } from '../../../src/core/source-runner.ts';

export const IDLE: RunProgress = {
  position: '0/1',
  checkpointedAtMs: 0,
  publishedCommitUs: null,
  caughtUp: true,
  reachedStart: true,
  changes: 0,
  inFlightBytes: 0,
  retainedWalBytes: null,
};

export interface FakeRunnerHabits {
  /** Default: resolves as soon as it is told to stop. */
  readonly onStop?: 'resolve' | 'ignore' | Error;
  /** Default: rejects with the reason as soon as it is killed. */
  readonly onKill?: 'reject' | 'ignore';
}

/** A runner whose test decides what it does; it records how it was told to end. */
export class FakeRunner implements SourceRunner {
  observer: RunObserver | null = null;
  stopSignal: AbortSignal | null = null;
  killSignal: AbortSignal | null = null;
  readonly #end = Promise.withResolvers<void>();
  readonly #habits: FakeRunnerHabits;

  constructor(habits: FakeRunnerHabits = {}) {
    this.#habits = habits;
  }

  run(observer: RunObserver, stop: AbortSignal, kill: AbortSignal): Promise<void> {
    this.observer = observer;
    this.stopSignal = stop;
    this.killSignal = kill;
    const { onStop = 'resolve', onKill = 'reject' } = this.#habits;
    if (onStop === 'resolve') stop.addEventListener('abort', () => this.#end.resolve());
    if (onStop instanceof Error) stop.addEventListener('abort', () => this.#end.reject(onStop));
    if (onKill === 'reject') kill.addEventListener('abort', () => this.#end.reject(kill.reason));
    return this.#end.promise;
  }

  stream(progress: Partial<RunProgress> = {}): void {
    this.observer!.streaming();
    this.observer!.progress({ ...IDLE, ...progress });
  }

  fail(error: unknown): void {
    this.#end.reject(error);
  }

  resolve(): void {
    this.#end.resolve();
  }
}
