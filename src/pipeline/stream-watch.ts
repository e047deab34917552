import type { ChangeBatch } from '../core/change-batch.ts';
import type { TableVersion } from '../core/table.ts';

/** Is told of everything in the stream before it is published, in log order. */
export interface StreamWatch<P> {
  began(batch: ChangeBatch<P>, index: number): void;
  /** An insert, update or delete. @returns false where the change is not to be published: it was read already. */
  takes(batch: ChangeBatch<P>, index: number, version: TableVersion): boolean;
  /** Change `index` truncates these tables. @returns those of which it is to be published. */
  truncated(batch: ChangeBatch<P>, index: number, tables: readonly TableVersion[]): readonly TableVersion[];
  /** Some statement changed a table. */
  altered(): void;
  /** Everything before `position` is published. @returns true where the stream is to rest here. */
  reached(position: P): boolean;
}
