import { FatalError, ResyncRequiredError } from '../core/errors.ts';
import type { FencedTopic, TopicClaim } from '../core/fenced-topic.ts';
import { OneAtATime } from '../core/one-at-a-time.ts';
import type { SourceState, StateStore } from '../core/source-state.ts';
import { untilAborted } from '../core/until-aborted.ts';
import { isCount, StoredJson } from './stored-json.ts';

/**
 * Beside the entries of a source, how many they are. A topic that lost its older records would else give the newest
 * checkpoint without what belongs to it: an unfinished snapshot would be none, a table would be looked up too late.
 */
const COUNT_KEY = 'count';

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
    const claim = await this.#claim(source, signal);
    try {
      this.#verifyCount(source, claim.records);
      return this.#stateOf(source, claim);
    } catch (error) {
      await claim[Symbol.asyncDispose]();
      throw error;
    }
  }

  async openToReplace(source: string, signal: AbortSignal): Promise<SourceState> {
    return this.#stateOf(source, await this.#claim(source, signal));
  }

  #claim(source: string, signal: AbortSignal): Promise<TopicClaim> {
    const request = { transactionalId: transactionalId(this.#topicName, source), keyPrefix: keyPrefix(source), source };
    return this.#topic.claim(request, signal);
  }

  #stateOf(source: string, claim: TopicClaim): SourceState {
    const state = new KafkaSourceState(source, claim, () => this.#open.delete(state));
    this.#open.add(state);
    return state;
  }

  async peek(source: string, signal: AbortSignal): Promise<ReadonlyMap<string, string> | null> {
    const entries = entriesOf(await this.#topic.peek(keyPrefix(source), signal));
    return entries.size === 0 ? null : entries;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#open].map((state) => state[Symbol.asyncDispose]()));
    await this.#topic.close();
  }

  /** States without a count are of versions that wrote none. */
  #verifyCount(source: string, records: ReadonlyMap<string, string>): void {
    const text = records.get(recordKey(source, COUNT_KEY));
    if (text === undefined) return;
    const json = new StoredJson(text, `the number of entries of source ${source}`, 1);
    const count = json.field('entries', isCount, 'a number');
    const found = records.size - 1;
    if (found === count) return;
    throw new ResyncRequiredError(
      `the checkpoint topic ${this.#topicName} has ${found} of the ${count} entries of source ${source}: records of it were deleted`,
      {
        code: 'CHECKPOINT_TOPIC_CUT',
        remedy:
          `Let the topic be compacted and nothing else. Import an exported checkpoint with \`tailrace checkpoint import\`, ` +
          `or take a new snapshot: tailrace resync ${source}.`,
        source,
      },
    );
  }
}

class KafkaSourceState implements SourceState {
  entries: ReadonlyMap<string, string>;
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
      const next = new Map(this.entries);
      for (const [key, value] of changes) {
        if (value === null) next.delete(key);
        else next.set(key, value);
      }
      const records = new Map([...changes].map(([key, value]) => [recordKey(this.#source, key), value]));
      records.set(recordKey(this.#source, COUNT_KEY), JSON.stringify({ formatVersion: 1, entries: next.size }));
      await this.#claim.put(records, this.#closing.signal);
      this.entries = next;
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
  const entries = new Map([...records].map(([recordKeyText, value]) => [entryKey(recordKeyText), value]));
  entries.delete(COUNT_KEY);
  return entries;
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
