import Table from 'cli-table3';

/** Aligned columns without lines around them, one row a line: readable on a terminal and by `cut` and `grep` alike. */
export function plainTable(rows: readonly (readonly string[])[]): string {
  const table = new Table({
    chars: Object.fromEntries(EDGES.map((edge) => [edge, ''])),
    style: { 'padding-left': 0, 'padding-right': 2, head: [], border: [] },
  });
  table.push(...rows.map((row) => row.map((cell) => cell.replace(/\s*[\r\n]+\s*/g, ' '))));
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

const EDGES = [
  'top',
  'top-mid',
  'top-left',
  'top-right',
  'bottom',
  'bottom-mid',
  'bottom-left',
  'bottom-right',
  'left',
  'left-mid',
  'mid',
  'mid-mid',
  'right',
  'right-mid',
  'middle',
];
