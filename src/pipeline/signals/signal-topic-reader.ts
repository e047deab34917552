import type { Clock } from '../../core/clock.ts';
import { TailraceError } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import type { OpenSignalTopic, SignalRecord, SignalText } from '../../core/signal.ts';
import type { SignalFault } from './parse-signal.ts';
import type { SignalInbox } from './signal-inbox.ts';

const REOPEN_MS = 5_000;
const MAX_VALUE_BYTES = 65_536;

export interface SignalTopicReaderParts {
  readonly topic: string;
  /** Of the records that are for this source. */
  readonly key: string;
  readonly open: OpenSignalTopic;
  readonly inbox: SignalInbox;
  /** Something was read: the inbox says how far the topic is. */
  readonly received: (signals: readonly (SignalText | SignalFault)[]) => void;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Reads the signal topic from where it was left; the first time from its end, as Debezium's consumer group does. Whatever
 * is wrong with the topic is said and tried again: the stream goes on.
 */
export class SignalTopicReader {
  readonly #parts: SignalTopicReaderParts;
  /** Code of the error that was said last; null while the topic is read. */
  #trouble: string | null = null;
  #isLost = false;

  constructor(parts: SignalTopicReaderParts) {
    this.#parts = parts;
  }

  /** Resolves when the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#read(signal);
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof TailraceError)) throw error;
        this.#failed(error);
        await this.#rest(signal);
      }
    }
  }

  async #read(signal: AbortSignal): Promise<void> {
    const { topic, open, inbox, received, logger } = this.#parts;
    const from = this.#isLost ? null : inbox.offsets;
    await using tail = await open(topic, from, signal);
    if (this.#trouble !== null) logger.info({ topic }, 'the signal topic is read again');
    this.#trouble = null;
    this.#isLost = false;
    if (from === null) {
      inbox.readTo(topic, tail.offsets);
      received([]);
    }
    for await (const records of tail.records(signal)) {
      inbox.readTo(topic, tail.offsets);
      received(records.flatMap((record) => this.#signalsOf(record)));
    }
  }

  #failed(error: TailraceError): void {
    const { topic, inbox, received, logger } = this.#parts;
    if (error.code === 'KAFKA_TOPIC_REPLACED') this.#isLost = true;
    // Once there is a topic, everything in it is new.
    if (error.code === 'KAFKA_TOPIC_MISSING' && inbox.offsets === null) {
      inbox.readTo(topic, []);
      received([]);
    }
    if (this.#trouble === error.code) return;
    this.#trouble = error.code;
    const remedy = 'Look at the topic; the source streams on, and reads signals again as soon as it can.';
    logger.warn({ topic, error, code: 'SIGNAL_TOPIC_UNREADABLE', remedy }, 'the signal topic cannot be read');
  }

  #signalsOf({ key, value }: SignalRecord): (SignalText | SignalFault)[] {
    if (key?.toString('utf8') !== this.#parts.key || value === null || value.length === 0) return [];
    if (value.length > MAX_VALUE_BYTES) return [{ fault: `its record is longer than ${MAX_VALUE_BYTES} bytes` }];
    return [signalOf(value.toString('utf8'))];
  }

  async #rest(signal: AbortSignal): Promise<void> {
    await this.#parts.clock.sleep(REOPEN_MS, signal).catch(() => {
      // Aborted: the loop ends.
    });
  }
}

/** `{"id"?, "type", "data"?}`, as Debezium has it. */
function signalOf(text: string): SignalText | SignalFault {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Without the parser's message, which quotes the text.
    return { fault: 'its record is not JSON' };
  }
  if (typeof value !== 'object' || value === null) return { fault: 'its record is not a JSON object' };
  const { id, type, data } = value as Record<string, unknown>;
  if (typeof type !== 'string') return { fault: 'its record has no type' };
  return {
    id: typeof id === 'string' && id !== '' ? id : crypto.randomUUID(),
    type,
    data: typeof data === 'string' ? data : JSON.stringify(data ?? {}),
  };
}
