import { setTimeout as delay } from 'node:timers/promises';
import { TransientError } from '../core/errors.ts';
import { isRetriable, KafkaCode, kafkaError } from './error-codes.ts';

/** A broker answered with an error code. `doing` completes "Kafka answered … to". */
export class BrokerAnswerError extends Error {
  override readonly name = 'BrokerAnswerError';
  readonly code: number;
  readonly doing: string;
  readonly detail: string | null;

  constructor(code: number, doing: string, detail: string | null = null) {
    super(`error code ${code} to ${doing}`);
    this.code = code;
    this.doing = doing;
    this.detail = detail;
  }
}

export interface Persistence {
  readonly signal: AbortSignal;
  /** `performance.now()` after which nothing is tried again. */
  readonly deadlineMs: number;
  /** Named in errors; null where there is none. */
  readonly source: string | null;
  /** Called before another attempt that may have to go to another broker. */
  relocate(): void;
}

const FIRST_PAUSE_MS = 5;
const LONGEST_PAUSE_MS = 500;
/** The markers of the last transaction are still being written: a matter of milliseconds. */
const LONGEST_PAUSE_FOR_MARKERS_MS = 20;

/**
 * Repeats an idempotent attempt while its failure may go away: connections that break, brokers that say "not me" or "not
 * yet". Every attempt must be one whose repetition does no harm, for the answer to the last one may have been lost.
 * @throws TransientError at the deadline, with the last failure as its cause.
 */
export async function persistently<T>(persistence: Persistence, attempt: () => Promise<T>): Promise<T> {
  const { signal, deadlineMs, source } = persistence;
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
    signal.throwIfAborted();
    try {
      return await attempt();
    } catch (error) {
      signal.throwIfAborted();
      const answer = error instanceof BrokerAnswerError ? error : null;
      const failure = answer === null ? error : kafkaError(answer.code, answer.doing, answer.detail, source);
      if (answer === null ? !(error instanceof TransientError) : !isRetriable(answer.code)) throw failure;
      if (performance.now() + pauseMs >= deadlineMs) throw gaveUp(failure, source);
      if (answer?.code === KafkaCode.concurrentTransactions) {
        pauseMs = Math.min(pauseMs, LONGEST_PAUSE_FOR_MARKERS_MS);
      } else {
        persistence.relocate();
      }
      await pause(pauseMs, signal);
    }
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await delay(ms, undefined, { signal });
  } catch {
    // Only an abort ends it early; its reason is what the caller has to see.
    signal.throwIfAborted();
  }
}

function gaveUp(failure: unknown, source: string | null): TransientError {
  const last = failure instanceof Error ? failure.message : String(failure);
  return new TransientError(`the checkpoint topic could not be used in time; last: ${last}`, {
    code: 'CHECKPOINT_TOPIC_TIMEOUT',
    remedy: 'It is tried again by itself; if this repeats, look at the health of the brokers.',
    cause: failure,
    ...(source === null ? {} : { source }),
  });
}
