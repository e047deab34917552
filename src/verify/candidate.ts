import type { RowKey } from '../core/snapshot.ts';
import type { StateKind } from './topic-state.ts';

/** A key whose state in the topic was not that of the table: damage, or a change on its way. */
export interface Candidate {
  /** Hash of the key, 16 characters. */
  readonly key: string;
  /** What the row may be in the topic as; empty where the table has no such row. */
  forms: string[];
  /** Where in the table the row was read; -1: nowhere. */
  chunk: number;
  /** The newest record of the key; null where there is none. */
  topic: SeenState | null;
  /** Avro bytes of the row's key, where it was read again. */
  rowKey: Buffer | null;
  /** Where to find the row in the table, where it was read again and that is known. */
  place: RowKey | null;
  /** Looks in a row at which neither the row nor the topic had changed. */
  unchangedRounds: number;
}

export interface SeenState {
  readonly kind: StateKind;
  /** Comparable with the forms of a row. */
  readonly form: string;
  readonly partition: number;
  readonly offset: number;
  readonly timestampMs: number;
}
