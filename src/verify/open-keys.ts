import type { RowKey } from '../core/snapshot.ts';
import type { KeyFinding } from './finding.ts';
import type { TopicState } from './topic-state.ts';

/** Keys that differed, until it is known why. */
export interface OpenKeys {
  readonly size: number;
  /** Different for good. */
  readonly confirmed: readonly KeyFinding[];
  /** Rows that turned out to be equal, and how many of them as far as the topic knows them. */
  readonly equal: number;
  readonly partial: number;
  has(key: string): boolean;
  /** Numbers of the chunks that hold all the rows in question; null where the whole table has to be looked through. */
  chunks(): readonly number[] | null;
  /** Where to find each of the rows in question; null where that is not known of one. */
  places(): readonly RowKey[] | null;
  /** The topic was read on: a key that reaches its row's state is equal. */
  apply(state: TopicState): void;
  /** The table was read again, since the topic was read up to where it was. */
  endReading(): void;
  /**
   * The topic was read on. Keys that did not change count it, and are different once they have counted enough: once where
   * the topic holds all that was read of the table by now (`isPassed`), twice where nobody knows that.
   */
  endRound(isPassed: boolean): void;
}
