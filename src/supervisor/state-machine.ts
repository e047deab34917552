import type { Clock } from '../core/clock.ts';
import { FatalError } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import type { Metrics } from '../core/metrics.ts';
import { SOURCE_STATES, type SourceStateName } from '../core/source-status.ts';

/**
 * From each state, the states that may follow. A stop is possible from everywhere; `stopped` is the end. What only an
 * operator does: into `paused`, and from there, `completed`, `failed` and `resync-required` to `starting`.
 */
export const SOURCE_TRANSITIONS: Readonly<Record<SourceStateName, readonly SourceStateName[]>> = {
  starting: [
    'snapshotting',
    'streaming',
    'completed',
    'paused',
    'backing-off',
    'resync-required',
    'failed',
    'stopping',
  ],
  snapshotting: ['streaming', 'completed', 'paused', 'backing-off', 'resync-required', 'failed', 'stopping'],
  streaming: ['snapshotting', 'completed', 'paused', 'backing-off', 'resync-required', 'failed', 'stopping'],
  paused: ['starting', 'stopping'],
  completed: ['starting', 'stopping'],
  'backing-off': ['starting', 'paused', 'failed', 'stopping'],
  'resync-required': ['starting', 'stopping'],
  failed: ['starting', 'stopping'],
  stopping: ['stopped'],
  stopped: [],
};

const LOG_LEVELS: Readonly<Record<SourceStateName, 'info' | 'warn' | 'error'>> = {
  starting: 'info',
  snapshotting: 'info',
  streaming: 'info',
  paused: 'info',
  completed: 'info',
  'backing-off': 'warn',
  'resync-required': 'error',
  failed: 'error',
  stopping: 'info',
  stopped: 'info',
};

export interface StateMachineDependencies {
  readonly source: string;
  readonly clock: Clock;
  /** Already bound to the source. */
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** The state of one source. It begins as `starting`; every move is logged and counted. */
export class SourceStateMachine {
  readonly #source: string;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #gauges: ReadonlyMap<SourceStateName, { set(value: number): void }>;
  readonly #entered: ReadonlyMap<SourceStateName, { add(value: number): void }>;
  #state: SourceStateName = 'starting';
  #sinceMs: number;

  constructor({ source, clock, logger, metrics }: StateMachineDependencies) {
    this.#source = source;
    this.#clock = clock;
    this.#logger = logger;
    const gauge = metrics.gauge('tailrace_source_state');
    const counter = metrics.counter('tailrace_source_transitions_total');
    this.#gauges = new Map(SOURCE_STATES.map((state) => [state, gauge.bind({ source, state })]));
    this.#entered = new Map(SOURCE_STATES.map((state) => [state, counter.bind({ source, state })]));
    this.#sinceMs = clock.nowMs();
    for (const [state, instrument] of this.#gauges) instrument.set(state === this.#state ? 1 : 0);
    this.#entered.get(this.#state)?.add(1);
  }

  get state(): SourceStateName {
    return this.#state;
  }

  /** When the state was entered, milliseconds since 1970. */
  get sinceMs(): number {
    return this.#sinceMs;
  }

  canMoveTo(next: SourceStateName): boolean {
    return SOURCE_TRANSITIONS[this.#state].includes(next);
  }

  /**
   * @param fields further facts for the log line, such as the error that caused the move.
   * @throws FatalError where the table does not allow the move; the state stays.
   */
  moveTo(next: SourceStateName, reason: string, fields: Readonly<Record<string, unknown>> = {}): void {
    const from = this.#state;
    if (!this.canMoveTo(next)) {
      throw new FatalError(`Source ${this.#source} cannot move from ${from} to ${next} (${reason}).`, {
        code: 'SOURCE_STATE_ILLEGAL',
        remedy: 'This is a bug of tailrace: please report it.',
        source: this.#source,
      });
    }
    this.#state = next;
    this.#sinceMs = this.#clock.nowMs();
    this.#gauges.get(from)?.set(0);
    this.#gauges.get(next)?.set(1);
    this.#entered.get(next)?.add(1);
    this.#logger[LOG_LEVELS[next]]({ ...fields, from, state: next, reason }, `source is ${next}`);
  }
}
