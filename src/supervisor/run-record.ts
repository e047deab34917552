import type { RunProgress } from '../core/source-runner.ts';
import { RateWindow } from './rate-window.ts';

/** What is known of a source's progress over all of its attempts; the last known facts outlive an attempt. */
export class RunRecord {
  readonly #rate = new RateWindow();
  #changesBefore = 0;
  #changesNow = 0;
  #position: string | null = null;
  #checkpointedAtMs: number | null = null;
  #publishedCommitUs: number | null = null;
  #caughtUp = false;
  #caughtUpAtUs: number | null = null;
  #inFlightBytes = 0;
  #retainedWalBytes: number | null = null;

  add(progress: RunProgress, nowUs: number): void {
    const more = Math.max(0, progress.changes - this.#changesNow);
    this.#changesNow += more;
    this.#rate.add(nowUs / 1000, more);
    this.#position = progress.position ?? this.#position;
    this.#checkpointedAtMs = progress.checkpointedAtMs;
    this.#publishedCommitUs = progress.publishedCommitUs ?? this.#publishedCommitUs;
    this.#caughtUp = progress.caughtUp;
    if (progress.caughtUp) this.#caughtUpAtUs = nowUs;
    this.#inFlightBytes = progress.inFlightBytes;
    this.#retainedWalBytes = progress.retainedWalBytes;
  }

  /** The attempt is over: its counts are final, and nobody knows any longer whether the source has something newer. */
  endAttempt(): void {
    this.#changesBefore += this.#changesNow;
    this.#changesNow = 0;
    this.#caughtUp = false;
    this.#inFlightBytes = 0;
  }

  get position(): string | null {
    return this.#position;
  }

  get changes(): number {
    return this.#changesBefore + this.#changesNow;
  }

  get inFlightBytes(): number {
    return this.#inFlightBytes;
  }

  get retainedWalBytes(): number | null {
    return this.#retainedWalBytes;
  }

  changesPerSecond(nowUs: number): number {
    return this.#rate.perSecond(nowUs / 1000);
  }

  /** Null before the first attempt has streamed. Goes on growing while nothing runs that could save. */
  checkpointAgeSeconds(nowMs: number): number | null {
    return this.#checkpointedAtMs === null ? null : Math.max(0, nowMs - this.#checkpointedAtMs) / 1000;
  }

  /**
   * 0 when caught up, else the age of the newest published commit; null before anything is known. A source that was
   * caught up until a moment ago lags since then, however old its last commit is; a failed one lags more every second.
   */
  lagSeconds(nowUs: number): number | null {
    if (this.#caughtUp) return 0;
    if (this.#publishedCommitUs === null && this.#caughtUpAtUs === null) return null;
    // Who set the clock back since must not see a source without lag until it is that late again.
    if (this.#caughtUpAtUs !== null && this.#caughtUpAtUs > nowUs) this.#caughtUpAtUs = nowUs;
    const publishedUs = Math.max(this.#publishedCommitUs ?? 0, this.#caughtUpAtUs ?? 0);
    return Math.max(0, nowUs - publishedUs) / 1_000_000;
  }
}
