import type { KeyColumns, TableReport, VerifyReport } from '../verify/report.ts';
import { exactJson } from './change-line.ts';
import { plainTable } from './plain-table.ts';

/** Keys of each kind that are shown to a person; with `--json` there are more. */
const SHOWN_KEYS = 10;
const COLOURS: Readonly<Record<TableReport['verdict'], string>> = {
  equal: '32',
  different: '31',
  incomplete: '33',
  incomparable: '33',
};

/** One line a table, then what is to be said about those that are not equal. */
export function renderVerifyReport({ tables }: VerifyReport, colour: boolean): string {
  const lines = plainTable(
    tables.map((table) => [
      colour ? `\u001b[${COLOURS[table.verdict]}m${table.verdict}\u001b[0m` : table.verdict,
      table.table,
      `${table.rows} rows`,
      summary(table),
    ]),
  );
  return [lines, ...tables.flatMap(details)].join('\n');
}

function summary(table: TableReport): string {
  const { counts } = table;
  const parts = [
    count(counts.missing, 'missing'),
    count(counts.extra, 'extra'),
    count(counts.different, 'different'),
    count(table.damaged_records, 'records cannot be read'),
    count(table.unpublishable, 'rows whose key cannot be published'),
    count(table.unavailable, 'only as far as the topic has their columns'),
    count(table.tolerated, 'with a tolerated defect'),
    count(table.outside_filter, 'left out by snapshot.where'),
    count(table.ignored_in_flight, 'changed at every look and were left out'),
    count(table.unexamined, 'of these not looked at again'),
  ];
  return [...(table.reason === null ? [] : [table.reason]), ...parts.filter((part) => part !== '')].join('; ');
}

function count(number: number, what: string): string {
  return number === 0 ? '' : `${number} ${what}`;
}

function details(table: TableReport): string[] {
  const { missing, extra, different, counts } = table;
  return [
    ...keys(table, 'missing from the topic', missing, counts.missing),
    ...keys(table, 'in the topic and not in the table', extra, counts.extra),
    ...keys(table, 'different', different, counts.different),
  ];
}

function keys({ table }: TableReport, what: string, listed: readonly KeyColumns[], all: number): string[] {
  const shown = listed.slice(0, SHOWN_KEYS).map((key) => `  ${table} ${what}: ${printable(exactJson(key))}`);
  const hidden = all - shown.length;
  return hidden > 0 ? [...shown, `  ${table} ${what}: ${hidden} more; --json lists a thousand`] : shown;
}

/** JSON spells control characters out; these turn the direction of text around. */
function printable(json: string): string {
  return json.replace(/[\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}
