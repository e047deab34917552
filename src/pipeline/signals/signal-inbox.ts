import type { SignalMemory, SignalText, SignalTopicProgress, WaitingSignal } from '../../core/signal.ts';

/** The signals that are not done with, and how far their topic was read: what is stored of them. */
export class SignalInbox {
  #waiting: readonly WaitingSignal[];
  #topic: SignalTopicProgress | null;

  /** @param topicName of the topic that is read; what is stored of another says nothing. */
  constructor(stored: SignalMemory | null, topicName: string | null) {
    this.#waiting = stored?.waiting ?? [];
    this.#topic = stored?.topic?.topic === topicName ? stored.topic : null;
  }

  get memory(): SignalMemory {
    return { waiting: this.#waiting, topic: this.#topic };
  }

  get waiting(): readonly WaitingSignal[] {
    return this.#waiting;
  }

  /** Next offsets of the topic; null before it was read for the first time. */
  get offsets(): readonly number[] | null {
    return this.#topic?.offsets ?? null;
  }

  add({ id, type, data }: SignalText): void {
    this.#waiting = [...this.#waiting, { id, type, data, without: [] }];
  }

  remove(signal: WaitingSignal): void {
    this.#waiting = this.#waiting.filter((each) => each !== signal);
  }

  replace(signal: WaitingSignal, by: WaitingSignal): void {
    this.#waiting = this.#waiting.map((each) => (each === signal ? by : each));
  }

  readTo(topic: string, offsets: readonly number[]): void {
    this.#topic = { topic, offsets };
  }
}
