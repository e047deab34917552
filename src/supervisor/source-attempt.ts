import type { Clock } from '../core/clock.ts';
import { TransientError } from '../core/errors.ts';
import type { SnapshotControl } from '../core/snapshot-control.ts';
import type { SnapshotStatus } from '../core/snapshot-status.ts';
import type { RunObserver, RunProgress, SourceRunner, WaitReason } from '../core/source-runner.ts';
import { firstFailure } from './source-failure.ts';

/** What an attempt tells while it runs; nothing once it has ended. */
export interface AttemptListener {
  streaming(): void;
  snapshotting(): void;
  progress(progress: RunProgress): void;
  waiting(reason: WaitReason): void;
}

export type AttemptEnd =
  | { readonly kind: 'stopped' }
  | { readonly kind: 'completed' }
  | { readonly kind: 'failed'; readonly thrown: unknown };

/**
 * One runner from its making to its end. It has abort signals of its own, because listeners that runners leave on a
 * signal would otherwise pile up over many attempts.
 */
export class SourceAttempt implements RunObserver {
  readonly #clock: Clock;
  readonly #listener: AttemptListener;
  readonly #stop = new AbortController();
  readonly #kill = new AbortController();
  #ended = false;
  #completed = false;
  #touchedAtMs: number;
  #streamingSinceMs: number | null = null;
  #waitingFor: WaitReason | null = null;
  #control: SnapshotControl | null = null;

  constructor(clock: Clock, listener: AttemptListener) {
    this.#clock = clock;
    this.#listener = listener;
    this.#touchedAtMs = clock.nowMs();
  }

  /** Time since the last sign of life. */
  get silentMs(): number {
    return this.#clock.nowMs() - this.#touchedAtMs;
  }

  /** How long the stream has been open; 0 while it is not. */
  get streamedMs(): number {
    return this.#streamingSinceMs === null ? 0 : this.#clock.nowMs() - this.#streamingSinceMs;
  }

  /** What it waits for; null while it works. */
  get waitingFor(): WaitReason | null {
    return this.#waitingFor;
  }

  /** Null before the runner has handed it out, and once the attempt has ended. */
  get control(): SnapshotControl | null {
    return this.#ended ? null : this.#control;
  }

  /** The newest snapshot of this attempt, also after its end. */
  get snapshot(): SnapshotStatus | null {
    return this.#control?.status() ?? null;
  }

  /** Never rejects. A runner that ends without being told to has failed. */
  async run(createRunner: () => SourceRunner): Promise<AttemptEnd> {
    try {
      await createRunner().run(this, this.#stop.signal, this.#kill.signal);
      if (this.#stop.signal.aborted) return { kind: 'stopped' };
      if (this.#completed) return { kind: 'completed' };
      const thrown = new TransientError('The stream of the source ended without an error.', {
        code: 'SOURCE_STREAM_ENDED',
        remedy: 'The source starts again by itself. If this stays, see the log of the database.',
      });
      return { kind: 'failed', thrown };
    } catch (thrown) {
      return this.#isAbort(thrown) ? { kind: 'stopped' } : { kind: 'failed', thrown };
    } finally {
      this.#ended = true;
      this.#waitingFor = null;
    }
  }

  stop(): void {
    this.#stop.abort(new DOMException('The source is stopping.', 'AbortError'));
  }

  kill(): void {
    this.#kill.abort(new DOMException('The source did not stop in time.', 'AbortError'));
  }

  streaming(): void {
    if (this.#ended) return;
    this.touch();
    this.#streamingSinceMs ??= this.#clock.nowMs();
    this.#listener.streaming();
  }

  snapshotting(): void {
    if (this.#ended) return;
    this.touch();
    this.#streamingSinceMs ??= this.#clock.nowMs();
    this.#listener.snapshotting();
  }

  completed(): void {
    this.#completed = true;
  }

  snapshots(control: SnapshotControl): void {
    this.#control = control;
  }

  touch(): void {
    this.#touchedAtMs = this.#clock.nowMs();
  }

  progress(progress: RunProgress): void {
    if (this.#ended) return;
    this.touch();
    this.#listener.progress(progress);
  }

  waiting(reason: WaitReason | null): void {
    if (this.#ended) return;
    this.touch();
    this.#waitingFor = reason;
    if (reason !== null) this.#listener.waiting(reason);
  }

  /** Being stopped while connecting, say, rejects with the reason of the signal: nothing was left undone. */
  #isAbort(thrown: unknown): boolean {
    if (!this.#stop.signal.aborted) return false;
    const error = firstFailure(thrown);
    return error === this.#stop.signal.reason || (error instanceof Error && error.name === 'AbortError');
  }
}
