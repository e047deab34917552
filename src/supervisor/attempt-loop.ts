import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/logger.ts';
import type { SnapshotControl } from '../core/snapshot-control.ts';
import type { RunRequest, SourceRunner } from '../core/source-runner.ts';
import { settlesWithin } from './settles-within.ts';
import { type AttemptEnd, SourceAttempt } from './source-attempt.ts';
import type { SourceCondition } from './source-condition.ts';

/** How the end of a source went: `graceful` lost no time, the others mean that work will be repeated at the next start. */
export type StopOutcome = 'graceful' | 'error' | 'killed' | 'abandoned';

export interface AttemptLoopParts {
  readonly createRunner: (request: RunRequest) => SourceRunner;
  readonly condition: SourceCondition;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Everything from before the start is published. */
  readonly onReachedStart: () => void;
  /** All that the source was to do is done. */
  readonly onCompleted: () => void;
  /** Failures have gone on for so long that the pauses between attempts last minutes. */
  readonly onCircuitOpen: () => void;
  /** Trying again is of no use. */
  readonly onEnd: (state: 'failed' | 'resync-required') => void;
}

/** How long a killed runner may take to end before it is left alone. */
const KILL_GRACE_MS = 5_000;

/**
 * An attempt after the other, each with a new runner, until it is halted or an error says that trying again is of no use.
 * Never throws and never rejects: whatever a runner does stays inside.
 */
export class AttemptLoop {
  readonly #parts: AttemptLoopParts;
  readonly #halted = new AbortController();
  #attempt: SourceAttempt | null = null;
  #pause: AbortController | null = null;
  #haltFailed = false;
  #ended: Promise<void> = Promise.resolve();

  private constructor(parts: AttemptLoopParts) {
    this.#parts = parts;
  }

  static start(parts: AttemptLoopParts): AttemptLoop {
    const loop = new AttemptLoop(parts);
    loop.#ended = loop.#run().catch((error: unknown) => loop.#breakDown(error));
    return loop;
  }

  /** Resolves when nothing of it runs any more. */
  get ended(): Promise<void> {
    return this.#ended;
  }

  /** That of the attempt which runs; null where there is none, or its runner gives none. */
  get snapshots(): SnapshotControl | null {
    return this.#attempt?.control ?? null;
  }

  /** Ends a pause between two attempts. */
  wake(): void {
    this.#pause?.abort();
  }

  /**
   * Lets the runner finish what it has begun; kills it after `deadlineMs` (or at once after `cut`) and leaves it alone when
   * even that does not end it. It can be called again, with a deadline of its own.
   */
  async halt(deadlineMs: number, cut: AbortSignal): Promise<StopOutcome> {
    const { clock, logger } = this.#parts;
    this.#halted.abort();
    this.#attempt?.stop();
    if (await settlesWithin(this.#ended, deadlineMs, clock, cut)) return this.#haltFailed ? 'error' : 'graceful';
    const cause = cut.aborted ? 'a second interrupt' : `the deadline of ${deadlineMs} ms`;
    logger.warn({ deadline_ms: deadlineMs }, `the graceful stop is cut short by ${cause}`);
    this.#attempt?.kill();
    if (await settlesWithin(this.#ended, KILL_GRACE_MS, clock)) return 'killed';
    logger.error({ grace_ms: KILL_GRACE_MS }, 'the source did not end when killed and is left alone');
    return 'abandoned';
  }

  async #run(): Promise<void> {
    const { condition, onCompleted, onCircuitOpen, onEnd } = this.#parts;
    for (;;) {
      const end = await this.#runAttempt();
      if (end.kind === 'stopped') return;
      if (end.kind === 'completed') {
        condition.resyncPending = false;
        if (this.#halted.signal.aborted) return;
        condition.machine.moveTo('completed', 'all tables are read, and nothing is to be streamed');
        onCompleted();
        return;
      }
      if (this.#halted.signal.aborted) {
        this.#haltFailed = true;
        condition.failedToStop(end.thrown);
        return;
      }
      const next = condition.failed(end.thrown);
      if ('end' in next) {
        onEnd(next.end);
        return;
      }
      if (next.circuitOpen) onCircuitOpen();
      await this.#wait(next.pauseMs);
      // Asked here and not in the pause: a halt can come between its end and this line.
      if (this.#halted.signal.aborted) return;
      condition.tryAgain();
    }
  }

  async #runAttempt(): Promise<AttemptEnd> {
    const { clock, condition, createRunner, onReachedStart } = this.#parts;
    const attempt = new SourceAttempt(clock, {
      streaming: () => this.#moveTo('streaming', 'the stream is open'),
      snapshotting: () => this.#moveTo('snapshotting', 'tables are read'),
      progress: (progress) => {
        condition.progressed(attempt, progress);
        if (progress.reachedStart) onReachedStart();
      },
      waiting: (reason) => condition.waits(reason),
    });
    this.#attempt = attempt;
    condition.attemptBegins(attempt);
    const end = await attempt.run(() => createRunner(condition.runRequest));
    condition.attemptEnds(attempt);
    this.#attempt = null;
    return end;
  }

  #moveTo(state: 'streaming' | 'snapshotting', reason: string): void {
    const { condition } = this.#parts;
    // By now the attempt has saved where it starts from: a crash would go on from there.
    condition.resyncPending = false;
    if (!this.#halted.signal.aborted && condition.machine.state !== state) condition.machine.moveTo(state, reason);
  }

  /** Ends early when the source is halted or woken. */
  async #wait(pauseMs: number): Promise<void> {
    this.#pause = new AbortController();
    const early = AbortSignal.any([this.#halted.signal, this.#pause.signal]);
    try {
      await this.#parts.clock.sleep(pauseMs, early);
    } catch (error) {
      if (!early.aborted) throw error;
    } finally {
      this.#pause = null;
    }
  }

  /** A bug of the supervisor itself: the source ends as failed, the others run on. */
  #breakDown(error: unknown): void {
    this.#attempt?.kill();
    this.#parts.condition.brokeDown('SUPERVISION_BROKEN', error);
    this.#parts.onEnd('failed');
  }
}
