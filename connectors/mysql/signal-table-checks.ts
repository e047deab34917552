import { type Check, error, FINE } from '../../src/core/preflight-verdict.ts';
import { judgeSignalColumns } from '../../src/core/signal-table-shape.ts';
import type { MySqlConfig } from './config.ts';
import type { PreflightFacts } from './preflight-facts.ts';

type Facts = Pick<PreflightFacts, 'signalTable'>;

/** Whether signals can arrive by the table of the configuration. For sources that have one. */
export const SIGNAL_TABLE_CHECKS: Readonly<Record<string, Check<Facts, MySqlConfig>>> = {
  // What an account may not read it does not see: existence and privilege are one question here.
  signal_table: ({ signalTable }) => {
    if (signalTable === null || signalTable.columns !== null) return FINE;
    const { name } = signalTable;
    return error(
      `There is no signal table ${name}, or the account may not read it.`,
      `CREATE TABLE ${name} (id varchar(42) PRIMARY KEY, type varchar(32) NOT NULL, data varchar(2048)), GRANT SELECT ON ${name} TO the account, or correct signals.table.`,
    );
  },
  signal_table_columns: ({ signalTable }) =>
    signalTable?.columns == null ? FINE : judgeSignalColumns(signalTable.name, signalTable.columns),
  signal_table_logged: ({ signalTable }) =>
    signalTable?.isLeftOut === true
      ? error(
          `The server leaves the database of the signal table ${signalTable.name} out of its binlog (binlog-do-db, binlog-ignore-db): no signal arrives.`,
          'Make the table in a database that is logged, or change that setting and restart the server.',
        )
      : FINE,
};
