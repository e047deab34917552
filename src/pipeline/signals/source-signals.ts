import type { Clock } from '../../core/clock.ts';
import { TailraceError, TransientError } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import { OneAtATime } from '../../core/one-at-a-time.ts';
import type { OperationOutcome } from '../../core/operation-outcome.ts';
import type { SignalText, WaitingSignal } from '../../core/signal.ts';
import type { SnapshotStatus } from '../../core/snapshot-status.ts';
import type { SourceSnapshots } from '../snapshot/source-snapshots.ts';
import { type CompilePattern, parseSignal, type Signal, type SignalFault } from './parse-signal.ts';
import type { SignalInbox } from './signal-inbox.ts';

/** Signals beyond these are refused: all of them are stored with every checkpoint. */
const MAX_WAITING = 100;
const RETRY_MS = 1_000;

export interface SourceSignalsParts<P> {
  readonly inbox: SignalInbox;
  readonly snapshots: Pick<
    SourceSnapshots<P>,
    'isRunning' | 'isDueByItself' | 'start' | 'stop' | 'pause' | 'resume' | 'remember'
  >;
  readonly compile: CompilePattern;
  /** Text of where the source is, for the log. */
  readonly position: () => string | null;
  /** Something went wrong that no signal can cause. */
  readonly failed: (error: unknown) => void;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Does what signals ask for, in their order. A signal that cannot be carried out is said and left out. */
export class SourceSignals<P> implements AsyncDisposable {
  readonly #parts: SourceSignalsParts<P>;
  readonly #turns = new OneAtATime();
  readonly #closed = new AbortController();

  constructor(parts: SourceSignalsParts<P>) {
    this.#parts = parts;
  }

  /** Takes signals in; they are safe once `SourceSnapshots.memory` is saved. `act` has to follow. */
  receive(signals: readonly (SignalText | SignalFault)[]): void {
    const { inbox } = this.#parts;
    for (const signal of signals) {
      if ('fault' in signal) this.#malformed(null, signal.fault);
      else if (inbox.waiting.length >= MAX_WAITING) this.#malformed(signal, `${MAX_WAITING} others are waiting`);
      else inbox.add(signal);
    }
  }

  /** Does what can be done now. A snapshot waits for the end of the one that is under way, when this has to be called. */
  act(): void {
    if (this.#closed.signal.aborted || this.#parts.inbox.waiting.length === 0) return;
    this.#turns.run(() => this.#actOnAll()).catch(this.#parts.failed);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort(new DOMException('The run of the source has ended.', 'AbortError'));
    await this.#turns.idle();
  }

  async #actOnAll(): Promise<void> {
    const { inbox, snapshots, compile } = this.#parts;
    /** Snapshots that have to wait, at the head of the inbox. */
    let kept = 0;
    while (kept < inbox.waiting.length && !this.#closed.signal.aborted) {
      const waiting = inbox.waiting[kept]!;
      const signal = parseSignal(waiting, compile);
      if (!('fault' in signal) && signal.kind === 'execute') {
        const isBlocked = kept > 0 || snapshots.isRunning;
        if (isBlocked || !(await this.#execute(waiting, signal))) kept += 1;
        continue;
      }
      inbox.remove(waiting);
      if ('fault' in signal) this.#malformed(waiting, signal.fault);
      else await this.#actOn(waiting, signal, inbox.waiting.slice(0, kept));
      if (!('fault' in signal) && signal.kind === 'stop' && signal.tables === null) kept = 0;
      snapshots.remember();
    }
  }

  async #actOn(waiting: WaitingSignal, signal: Signal, earlier: readonly WaitingSignal[]): Promise<void> {
    const { snapshots, logger, position } = this.#parts;
    switch (signal.kind) {
      case 'stop':
        return this.#stop(waiting, signal.tables, earlier);
      case 'pause':
        return this.#report(waiting, await snapshots.pause());
      case 'resume':
        return this.#report(waiting, await snapshots.resume());
      case 'log':
        logger.info({ signal: waiting.id }, signal.message.replace('{}', position() ?? '<none>'));
        return;
      default:
        logger.debug({ signal: waiting.id }, 'a watermark of Debezium was passed over');
    }
  }

  /** @returns false where it has to be tried again. */
  async #execute(waiting: WaitingSignal, signal: Signal & { kind: 'execute' }): Promise<boolean> {
    const { inbox, snapshots, compile, logger } = this.#parts;
    const { tables, filters, isBlocking } = signal;
    const request = {
      tables,
      where: null,
      filters,
      without: waiting.without.map(compile).filter((pattern) => pattern !== null),
      isBlocking,
      kind: isBlocking ? ('initial' as const) : ('incremental' as const),
      signalId: waiting.id,
    };
    try {
      const outcome = await snapshots.start(request, () => inbox.remove(waiting));
      if (!outcome.ok && outcome.refusal.code === 'SNAPSHOT_RUNNING') {
        if (!snapshots.isRunning) this.#actLater();
        return false;
      }
      this.#report(waiting, outcome);
    } catch (error) {
      if (this.#closed.signal.aborted) return false;
      if (!(error instanceof TailraceError)) throw error;
      if (error instanceof TransientError) {
        logger.warn({ signal: waiting.id, error }, 'a signal could not be carried out and is tried again');
        this.#actLater();
        return false;
      }
      logger.warn({ signal: waiting.id, type: waiting.type, error }, 'a signal was not carried out');
    }
    if (inbox.waiting.includes(waiting)) {
      inbox.remove(waiting);
      snapshots.remember();
    }
    return true;
  }

  /** Ends what is under way and what waits before this signal. */
  async #stop(
    waiting: WaitingSignal,
    tables: readonly string[] | null,
    earlier: readonly WaitingSignal[],
  ): Promise<void> {
    const { inbox, snapshots, compile, logger } = this.#parts;
    for (const each of earlier) {
      if (tables === null) inbox.remove(each);
      else inbox.replace(each, { ...each, without: [...each.without, ...tables] });
    }
    if (snapshots.isDueByItself) {
      const remedy = 'Stop it with `tailrace snapshot stop` if consumers can do without its rows.';
      logger.warn({ signal: waiting.id, type: waiting.type, remedy }, 'a signal does not stop an initial snapshot');
      return;
    }
    const patterns = tables?.map(compile).filter((pattern) => pattern !== null);
    if (snapshots.isRunning || earlier.length === 0) this.#report(waiting, await snapshots.stop(patterns));
  }

  #report({ id, type }: SignalText, outcome: OperationOutcome<SnapshotStatus>): void {
    const { logger } = this.#parts;
    if (outcome.ok) {
      logger.info({ signal: id, type }, 'a signal was carried out');
      return;
    }
    const { code, message, remedy } = outcome.refusal;
    logger.warn({ signal: id, type, code, remedy }, `a signal was not carried out: ${message}`);
  }

  #malformed(signal: SignalText | null, fault: string): void {
    const { id, type } = signal ?? { id: null, type: null };
    this.#parts.logger.warn(
      { signal: id, type, code: 'SIGNAL_MALFORMED', remedy: 'Correct it and send it again; see docs/signals.md.' },
      `a signal was passed over: ${fault}`,
    );
  }

  #actLater(): void {
    const { signal } = this.#closed;
    this.#parts.clock.sleep(RETRY_MS, signal).then(
      () => this.act(),
      // The run has ended by then; its successor acts on what is stored.
      () => {},
    );
  }
}
