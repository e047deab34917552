import type { ChangeBatch } from './change-batch.ts';
import type { ConnectStruct } from './connect-schema.ts';
import type { TableVersion } from './table.ts';
import type { ValueWriter } from './value-writer.ts';

/** Writes the `source` field of an envelope: where in the source a change came from. One per stream. */
export interface SourceBlock {
  readonly schema: ConnectStruct;
  /** Writes the block of change `index`. `table` is null for a logical message. Must be called in batch order. */
  write(out: ValueWriter, batch: ChangeBatch<unknown>, index: number, table: TableVersion | null): void;
}
