import type { TableId } from '../../src/core/table.ts';

/** An identifier in backticks, whatever is in it: the driver's own placeholder takes a point for the end of a name. */
export function quotedName(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``;
}

export function quotedTable({ database, name }: Pick<TableId, 'database' | 'name'>): string {
  return `${quotedName(database)}.${quotedName(name)}`;
}
