import type { Dialect } from './mysql-type.ts';
import type { CapturedTable } from './preflight-facts.ts';

interface Grant {
  readonly isRevoke: boolean;
  /** Upper case, without the columns of those that are for single columns: these are left out. */
  readonly privileges: readonly string[];
  /** Null for all. */
  readonly database: RegExp | null;
  readonly table: string | null;
}

/** Privileges for the whole server; any name of a line will do. */
const GLOBAL: Readonly<Record<Dialect, readonly (readonly string[])[]>> = {
  mysql: [['REPLICATION SLAVE'], ['REPLICATION CLIENT', 'SUPER']],
  mariadb: [
    ['REPLICATION SLAVE', 'REPLICATION REPLICA'],
    ['BINLOG MONITOR', 'REPLICATION CLIENT', 'SUPER'],
  ],
};

/**
 * What the account lacks, as a GRANT would name it: `REPLICATION SLAVE ON *.*`, `SELECT ON shop.*`.
 * @param lines as SHOW GRANTS prints them, those of active roles among them
 */
export function missingGrants(lines: readonly string[], dialect: Dialect, tables: readonly CapturedTable[]): string[] {
  const grants = lines.flatMap((line) => parseGrant(line) ?? []);
  const everywhere = grants.filter(({ database, isRevoke }) => database === null && !isRevoke);
  const missing = GLOBAL[dialect]
    .filter((names) => !everywhere.some((grant) => names.some((name) => gives(grant, name))))
    .map(([name]) => `${name} ON *.*`);
  const unreadable = tables
    .filter((table) => !has(grants, 'SELECT', table))
    .map(({ database }) => `SELECT ON ${database}.*`);
  // What an account may not read at all it does not see: then there are no tables.
  if (tables.length === 0 && !grants.some((grant) => gives(grant, 'SELECT'))) unreadable.push('SELECT ON the tables');
  return [...missing, ...new Set(unreadable)];
}

/** What the account lacks of a privilege on tables, as a GRANT would name it. */
export function missingOnTables(
  lines: readonly string[],
  privilege: string,
  tables: readonly CapturedTable[],
): readonly string[] {
  const grants = lines.flatMap((line) => parseGrant(line) ?? []);
  const lacking = tables.filter((table) => !has(grants, privilege, table));
  return [...new Set(lacking.map(({ database }) => `${privilege} ON ${database}.*`))];
}

function has(grants: readonly Grant[], privilege: string, { database, table }: CapturedTable): boolean {
  const about = grants.filter(
    (grant) =>
      gives(grant, privilege) &&
      (grant.database?.test(database) ?? true) &&
      (grant.table === null || grant.table === table),
  );
  return about.length > 0 && !about.some(({ isRevoke }) => isRevoke);
}

function gives({ privileges }: Grant, name: string): boolean {
  return privileges.includes(name) || privileges.includes('ALL PRIVILEGES');
}

/** Null for what grants no privileges on tables: roles, proxies, routines. */
function parseGrant(line: string): Grant | null {
  const parts = /^(GRANT|REVOKE) (.+?) ON (?:TABLE )?(\*|`(?:[^`]|``)+`)\.(\*|`(?:[^`]|``)+`) (?:TO|FROM) /.exec(line);
  if (parts === null) return null;
  const [, verb, privileges = '', database = '', table = ''] = parts;
  return {
    isRevoke: verb === 'REVOKE',
    privileges: privileges
      .replaceAll(/[A-Z ]+\([^)]*\)/g, '')
      .split(',')
      .map((name) => name.trim().toUpperCase()),
    database: database === '*' ? null : patternOf(unquoted(database), table === '*'),
    table: table === '*' ? null : unquoted(table),
  };
}

/** The database of a grant on all its tables is a pattern, as of LIKE. */
function patternOf(name: string, isPattern: boolean): RegExp {
  const escaped = (text: string) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
  if (!isPattern) return new RegExp(`^${escaped(name)}$`);
  const source = name.replaceAll(/\\(.)|([_%])|([^\\_%]+)/gs, (_, literal?: string, wild?: string, plain?: string) => {
    if (wild !== undefined) return wild === '%' ? '.*' : '.';
    return escaped(literal ?? plain ?? '');
  });
  return new RegExp(`^${source}$`, 's');
}

function unquoted(name: string): string {
  return name.slice(1, -1).replaceAll('``', '`');
}
