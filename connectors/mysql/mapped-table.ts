import type { RowLayout } from './protocol/row-layout.ts';
import type { TableMap } from './protocol/table-map.ts';
import type { MySqlTableVersion } from './table-version.ts';

/** A table as a table map announced it. `version` is null until a row needs it, and again when it must be looked at anew. */
export interface MappedTable {
  readonly map: TableMap;
  /** Where the columns of its row images lie. */
  readonly rows: RowLayout;
  /** `database.table`. */
  readonly name: string;
  /** Hash of the table map without the table id: equal layouts have equal bytes. */
  readonly layout: string;
  /** False for tables outside of the configuration: their rows are stepped over. */
  readonly captured: boolean;
  version: MySqlTableVersion | null;
}
