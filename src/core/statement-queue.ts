import { untilAborted } from './until-aborted.ts';

/** One statement on a connection that does one thing at a time. */
export interface Statement<T> {
  /** `stop` aborts when nobody waits for the answer any more. */
  execute(stop: AbortSignal): Promise<T>;
  /** Infinity for what may take any time. */
  readonly timeoutMs: number;
  /** The connection has an answer coming that nobody waits for: it cannot be used again. */
  abandon(): void;
  /** The error of a deadline that passed. */
  late(): Error;
  /** Gives what `execute` threw its class. */
  classify(error: unknown): Error;
}

/** Runs the statements of one connection in the order in which they were asked for, each with a deadline. */
export class StatementQueue {
  #last: Promise<unknown> = Promise.resolve();

  /** @throws what the statement makes of its failure; the signal's reason when aborted. */
  run<T>(statement: Statement<T>, signal: AbortSignal): Promise<T> {
    const result = this.#last.then(() => runOne(statement, signal));
    this.#last = result.catch(() => undefined);
    return result;
  }
}

async function runOne<T>(statement: Statement<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const { timeoutMs } = statement;
  const stop = Number.isFinite(timeoutMs) ? AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]) : signal;
  try {
    return await untilAborted(statement.execute(stop), stop);
  } catch (error) {
    if (!stop.aborted) throw statement.classify(error);
    statement.abandon();
    signal.throwIfAborted();
    throw statement.late();
  }
}
