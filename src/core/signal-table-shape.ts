import { error, FINE, type Verdict } from './preflight-verdict.ts';

/** A column of a signal table, as far as it decides whether a row can be a signal. */
export interface SignalTableColumn {
  readonly name: string;
  readonly type: string;
  readonly isText: boolean;
}

/** Columns of a signal table, whatever they are called: id, type, data. */
export const SIGNAL_COLUMNS = 3;

/** Whether rows with these columns can be signals. */
export function judgeSignalColumns(table: string, columns: readonly SignalTableColumn[]): Verdict {
  const remedy = `Make it anew: CREATE TABLE ${table} (id varchar(42) PRIMARY KEY, type varchar(32) NOT NULL, data varchar(2048)).`;
  if (columns.length !== SIGNAL_COLUMNS) {
    const names = columns.map(({ name }) => name).join(', ') || 'none';
    return error(
      `The signal table ${table} has ${columns.length} columns (${names}) instead of id, type and data: none of its rows is a signal.`,
      remedy,
    );
  }
  const wrong = columns.filter(({ isText }) => !isText).map(({ name, type }) => `${name} (${type})`);
  return wrong.length === 0
    ? FINE
    : error(`No text in the signal table ${table}: ${wrong.join(', ')}; none of its rows is a signal.`, remedy);
}
