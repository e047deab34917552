import { type Check, error, FINE, type Verdict, warning } from '../../src/core/preflight-verdict.ts';
import { judgeSignalColumns } from '../../src/core/signal-table-shape.ts';
import type { PostgresConfig } from './config.ts';
import type { PreflightFacts } from './preflight-facts.ts';
import { publishes } from './publication-coverage.ts';
import type { FoundSignalTable } from './signal-table-facts.ts';

type Facts = Pick<PreflightFacts, 'signalTable' | 'publications' | 'tables' | 'role'>;

/** Whether signals can arrive by the table of the configuration. For sources that have one. */
export const SIGNAL_TABLE_CHECKS: Readonly<Record<string, Check<Facts, PostgresConfig>>> = {
  signal_table: ({ signalTable }) => {
    if (signalTable === null) return FINE;
    const { name, found } = signalTable;
    if (found === null) {
      return error(
        `The signal table ${name} does not exist.`,
        `CREATE TABLE ${name} (id varchar(42) PRIMARY KEY, type varchar(32) NOT NULL, data varchar(2048)), or correct signals.table.`,
      );
    }
    if (found.isOther === null) return FINE;
    return error(
      `The signal table ${name} is ${found.isOther}: what is written to it is not in the log.`,
      'Name an ordinary table in signals.table.',
    );
  },
  signal_table_columns: ({ signalTable }) => ofTable(signalTable, judgeColumns),
  signal_table_published: (facts, config) =>
    ofTable(facts.signalTable, (name, found) => judgePublication(name, found, facts, config)),
  signal_table_privileges: ({ signalTable, role }) =>
    ofTable(signalTable, (name, { isReadable }) =>
      isReadable
        ? FINE
        : warning(
            `The role ${role.name} may not read the signal table ${name}; signals do not need it, a snapshot of all tables does.`,
            `GRANT SELECT ON ${name} TO ${role.name} (and USAGE on its schema).`,
          ),
    ),
};

/** Of a table that is not there, or none, there is no more to say. */
function ofTable(facts: Facts['signalTable'], judge: (name: string, found: FoundSignalTable) => Verdict): Verdict {
  return facts?.found?.isOther === null ? judge(facts.name, facts.found) : FINE;
}

function judgeColumns(name: string, { columns }: FoundSignalTable): Verdict {
  return judgeSignalColumns(name, columns);
}

function judgePublication(
  name: string,
  { oid, columns }: FoundSignalTable,
  { publications, tables }: Facts,
  { slot }: PostgresConfig,
): Verdict {
  const table = tables.find((each) => each.oid === oid);
  const holders = table === undefined ? [] : publications.filter((each) => publishes(each, table));
  if (holders.length === 0) {
    // The source puts it there when it starts; where it may not, the check of the publication says so.
    if (slot.autocreate !== 'disabled') return FINE;
    return error(
      `The signal table ${name} is not in the publication "${slot.publication}": no signal arrives.`,
      `ALTER PUBLICATION "${slot.publication}" ADD TABLE ${name}.`,
    );
  }
  const ofInserts = holders.filter(({ operations }) => operations.includes('i'));
  if (ofInserts.length === 0) {
    return error(
      `The publication "${holders[0]!.name}" does not publish inserts: no signal arrives.`,
      `ALTER PUBLICATION "${holders[0]!.name}" SET (publish = 'insert, update, delete, truncate').`,
    );
  }
  const isWhole = ofInserts.some(({ members }) => {
    const member = members.get(oid);
    const hasAll = member?.columns == null || member.columns.length === columns.length;
    return hasAll && (member?.rowFilter ?? null) === null;
  });
  return isWhole
    ? FINE
    : error(
        `The publication "${ofInserts[0]!.name}" has only some rows or columns of the signal table ${name}: signals get lost.`,
        `ALTER PUBLICATION "${ofInserts[0]!.name}" DROP TABLE ${name}, and add it again without columns and WHERE.`,
      );
}
