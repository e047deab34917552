import { FatalError } from '../core/errors.ts';
import type { FencedTopic, TopicClaim } from '../core/fenced-topic.ts';
import { OneAtATime } from '../core/one-at-a-time.ts';
import type { SourceState, StateStore } from '../core/source-state.ts';
import { untilAborted } from '../core/until-aborted.ts';

/**
 * All sources in one compacted topic: the record key is the JSON array `["<source>","<key>"]`, the value the entry's text,
 * a tombstone deletes. Opening a source fences its older owner: of two daemons the newer one wins.
 */
export class KafkaStateStore implements StateStore {
  readonly #topic: FencedTopic;
  readonly #topicName: string;
  readonly #open = new Set<KafkaSourceState>();

  constructor(topic: FencedTopic, topicName: string) {
    this.#topic = topic;
    this.#topicName = topicName;
  }

  async open(source: string, signal: AbortSignal): Promise<SourceState> {
    const request = { transactionalId: transactionalId(this.#topicName, source), keyPrefix: keyPrefix(source), source };
    const claim = await this.#topic.claim(request, signal);
    const state = new KafkaSourceState(source, claim, () => this.#open.delete(state));
    this.#open.add(state);
    return state;
  }

  async peek(source: string, signal: AbortSignal): Promise<ReadonlyMap<string, string> | null> {
    const records = await this.#topic.peek(keyPrefix(source), signal);
    return records.size === 0 ? null : entriesOf(records);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#open].map((state) => state[Symbol.asyncDispose]()));
    await this.#topic.close();
  }
}

class KafkaSourceState implements SourceState {
  readonly entries: Map<string, string>;
  readonly #source: string;
  readonly #claim: TopicClaim;
  readonly #disposed: () => void;
  readonly #turns = new OneAtATime();
  readonly #closing = new AbortController();

  constructor(source: string, claim: TopicClaim, disposed: () => void) {
    this.#source = source;
    this.#claim = claim;
    this.#disposed = disposed;
    this.entries = entriesOf(claim.records);
  }

  /**
   * A put that has begun is carried through even where its caller stops waiting: its outcome would be unknown otherwise,
   * and `entries` might differ from the topic.
   */
  put(changes: ReadonlyMap<string, string | null>, signal: AbortSignal): Promise<void> {
    const done = this.#turns.run(async () => {
      signal.throwIfAborted();
      this.#closing.signal.throwIfAborted();
      if (changes.size === 0) return;
      const records = new Map([...changes].map(([key, value]) => [recordKey(this.#source, key), value]));
      await this.#claim.put(records, this.#closing.signal);
      for (const [key, value] of changes) {
        if (value === null) this.entries.delete(key);
        else this.entries.set(key, value);
      }
    });
    return untilAborted(done, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(closedError(this.#source));
    await this.#turns.idle();
    await this.#claim[Symbol.asyncDispose]();
    this.#disposed();
  }
}

/** A slash is in no topic name, so that no two pairs of topic and source share an id; ACLs can name the prefix `tailrace-`. */
function transactionalId(topic: string, source: string): string {
  return `tailrace-${topic}/${source}`;
}

function keyPrefix(source: string): string {
  return `[${JSON.stringify(source)},`;
}

function recordKey(source: string, key: string): string {
  return JSON.stringify([source, key]);
}

function entriesOf(records: ReadonlyMap<string, string>): Map<string, string> {
  return new Map([...records].map(([recordKeyText, value]) => [entryKey(recordKeyText), value]));
}

function entryKey(recordKeyText: string): string {
  const parts: unknown = JSON.parse(recordKeyText);
  if (Array.isArray(parts) && parts.length === 2 && typeof parts[1] === 'string') return parts[1];
  throw new FatalError(`The checkpoint topic holds a record that is not ours: its key is ${recordKeyText}`, {
    code: 'CHECKPOINT_TOPIC_FOREIGN_RECORD',
    remedy: 'Give the daemon a checkpoint topic of its own (checkpoint.topic), or delete that key from this one.',
  });
}

function closedError(source: string): FatalError {
  return new FatalError(`The state of source ${source} was closed`, {
    code: 'STATE_CLOSED',
    remedy: 'Where no stop was asked for, this is a fault of tailrace: please report it with the log of this process.',
    source,
  });
}
