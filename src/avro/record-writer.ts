import type { NullBranch, ValueWriter } from '../core/value-writer.ts';

/** A writer that envelopes are pushed into. */
export interface RecordWriter extends ValueWriter {
  /** Turns the `present` that was announced last, and that no value followed, into `absent`. */
  retract(nullBranch: NullBranch): void;
}
