import { freeBuffer } from '../core/free-buffer.ts';
import type { StaleKeys } from '../core/stale-keys.ts';
import { partOf } from './comparison-parts.ts';
import { type LoadedEntries, PartedEntries } from './parted-entries.ts';
import type { RecordStates } from './record-states.ts';
import { TopicReading } from './topic-reading.ts';
import type { TopicExtent, TopicSource } from './topic-source.ts';
import { hashText, putState, STATE_WORDS, StateKind, type TopicState } from './topic-state.ts';

/** Of a part: all of its keys are in memory at a time. */
const PART_RECORDS = 200_000;
const MOST_PARTS = 4_096;
const BLOCK_BYTES = 16 * 1024;
/** Records between two stale keys that are rather read through than stepped over. */
const MOST_GAP = 5_000;

export interface StaleTopicKeysParts {
  readonly topics: TopicSource;
  readonly topic: string;
  readonly since: readonly number[];
  readonly states: RecordStates;
}

interface Place {
  readonly partition: number;
  readonly offset: number;
}

/**
 * Finds stale keys in parts by the hash of the key: what a topic says is kept in parts on disk, and one part at a time is
 * looked at. What is told meanwhile goes to the parts that are still to come.
 */
export class StaleTopicKeys implements StaleKeys {
  readonly #parts: StaleTopicKeysParts;
  readonly #reading: TopicReading;
  readonly #entries: PartedEntries;
  readonly #count: number;
  #part = -1;
  /** Those of the part that is looked at, by hash. */
  #stale = new Map<string, Place>();
  /** Bytes of keys that come next, by hash. */
  readonly #ready = new Map<string, Buffer>();

  private constructor(parts: StaleTopicKeysParts, extent: TopicExtent | null) {
    const records = (extent?.partitions ?? []).reduce((sum, { start, end }) => sum + end - start, 0);
    let count = 1;
    while (count < MOST_PARTS && records / count > PART_RECORDS) count *= 2;
    this.#parts = parts;
    this.#count = count;
    this.#reading = new TopicReading(parts.topics, parts.topic, extent, parts.states);
    this.#entries = new PartedEntries(count, STATE_WORDS, BLOCK_BYTES);
  }

  static async find(parts: StaleTopicKeysParts, signal: AbortSignal): Promise<StaleTopicKeys> {
    const found = new StaleTopicKeys(parts, await parts.topics.describe(parts.topic, signal));
    try {
      await found.#readOn(signal);
      return found;
    } catch (error) {
      await found[Symbol.asyncDispose]();
      throw error;
    }
  }

  async prepare(count: number, signal: AbortSignal): Promise<boolean> {
    while (this.#ready.size === 0 && this.#hasMore()) {
      const places = new Map<string, string>();
      let first: Place | null = null;
      let last: Place | null = null;
      for (const [hash, place] of this.#stale) {
        if (places.size === count) break;
        if (last !== null && (place.partition !== last.partition || place.offset - last.offset > MOST_GAP)) break;
        first ??= place;
        last = place;
        places.set(`${place.offset}`, hash);
      }
      await this.#read(places, first!, last!, signal);
    }
    return this.#ready.size > 0;
  }

  async take(signal: AbortSignal): Promise<readonly Buffer[]> {
    await this.#readOn(signal);
    const keys = [...this.#ready.values()];
    this.#ready.clear();
    return keys;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#entries.close();
  }

  /** A record that is gone from the topic meanwhile is not there to be read by anybody. */
  async #read(hashes: ReadonlyMap<string, string>, first: Place, last: Place, signal: AbortSignal): Promise<void> {
    const { topics, topic } = this.#parts;
    for await (const records of topics.read(topic, first.partition, first.offset, last.offset + 1, signal)) {
      for (const { offset, key } of records) {
        const hash = hashes.get(`${offset}`);
        if (hash !== undefined && key !== null) this.#ready.set(hash, key);
      }
    }
    for (const hash of hashes.values()) this.#stale.delete(hash);
  }

  async #readOn(signal: AbortSignal): Promise<void> {
    await this.#reading.readOn(
      (state) => this.#take(state),
      () => {},
      signal,
    );
  }

  #take(state: TopicState): void {
    // Of a truncate nothing is to be told again, and what it took away may be told twice.
    if (state.kind === StateKind.truncate) return;
    const part = partOf(state.key, this.#count);
    if (part === this.#part) {
      const hash = hashText(state.key, 0);
      this.#stale.delete(hash);
      this.#ready.delete(hash);
    }
    if (part <= this.#part) return;
    const at = this.#entries.add(part);
    putState(state, this.#entries.words, this.#entries.doubles, at);
  }

  /** Looks at the next parts until there is a stale key. */
  #hasMore(): boolean {
    while (this.#stale.size === 0 && this.#part < this.#count - 1) {
      this.#part += 1;
      const loaded = this.#entries.load(this.#part);
      this.#stale = this.#staleAmong(loaded);
      freeBuffer(new Uint8Array(loaded.words.buffer));
    }
    return this.#stale.size > 0;
  }

  #staleAmong({ count, words, doubles }: LoadedEntries): Map<string, Place> {
    const stale = new Map<string, Place>();
    const told = new Set<string>();
    for (let entry = 0; entry < count; entry++) {
      const at = entry * STATE_WORDS;
      const hash = hashText(words, at);
      const place = { partition: words[at + 9]!, offset: doubles[at / 2 + 5]! };
      if (place.offset >= (this.#parts.since[place.partition] ?? 0)) told.add(hash);
      else if ((words[at + 8]! & 0xff) === StateKind.deleted) stale.delete(hash);
      else stale.set(hash, place);
    }
    for (const hash of told) stale.delete(hash);
    const inOrder = ([, a]: [string, Place], [, b]: [string, Place]) =>
      a.partition - b.partition || a.offset - b.offset;
    return new Map([...stale].sort(inOrder));
  }
}
