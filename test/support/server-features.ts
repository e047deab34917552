import mysql from 'mysql2/promise';
import { DEFAULT_MARIADB } from '../../deploy/local/mariadb.ts';
import { DEFAULT_MYSQL } from '../../deploy/local/mysql.ts';
import type { MysqlServer } from './mysql-database.ts';
import { mysqlUrl } from './services.ts';

/**
 * What the servers under test can do. Tests choose their cases by these, here and nowhere else; what a server lacks is
 * left out of a test by its name, never a test as a whole without a word.
 */
export interface ServerFeatures {
  readonly server: MysqlServer;
  /** `MySQL 5.6`, `MariaDB 10.11`: for the names of tests. */
  readonly label: string;
  /** MySQL's binary JSON. MySQL 5.6 has no JSON; MariaDB's is text. */
  readonly hasBinaryJson: boolean;
  /** Transactions have GTIDs: MySQL 5.6 runs without, as most of its kind do. */
  readonly hasGtids: boolean;
  /** Table maps have the names of columns (binlog_row_metadata=FULL). MySQL 5.6 does not know the setting. */
  readonly hasNames: boolean;
  /** The server can leave the names out: the setting exists. */
  readonly canLeaveNamesOut: boolean;
  /** The setting of compressed transactions or events, null where there is none: MySQL 5.6. */
  readonly compression: string | null;
  /** A prepared XA transaction outlives its connection and is logged at PREPARE. MySQL 5.6 rolls it back, and logs at COMMIT. */
  readonly keepsPreparedXa: boolean;
  /** `ALTER TABLE … RENAME COLUMN`: MySQL 5.6 has only CHANGE. */
  readonly canRenameColumns: boolean;
  /** What it calls the two forms of UTF-8. MySQL 5.6 says `utf8` for the shorter one. */
  readonly utf8Charsets: readonly string[];
  /** Stores bytes that are no character of the column's set. MySQL 9 puts a question mark in their place. */
  readonly keepsForeignBytes: boolean;
  /** Every statement of the goldens. MySQL 5.6 lacks JSON, generated columns, expressions as defaults, VECTOR and more. */
  readonly understandsGoldens: boolean;
  /** The version that tests start where they start servers of their own. */
  readonly isDefault: boolean;
  /** `CREATE ROLE`: MySQL 5.6 has none. */
  readonly hasRoles: boolean;
  /** `ALTER USER … IDENTIFIED BY`: MySQL 5.6 only lets passwords expire that way. */
  readonly canAlterPasswords: boolean;
  /** How it writes a password behind `SET PASSWORD … =`: MySQL 8 and later take the text alone, the others its hash. */
  readonly takesPlainPasswords: boolean;
  /** What MySQL 8 brought: tablespaces, histograms, WITH, invisible columns, reference systems of columns and more. */
  readonly hasMysql8: boolean;
  /** A column can be declared as JSON, also where that is text: not in MySQL 5.6. */
  readonly hasJson: boolean;
  /** The type VECTOR: MySQL 9, MariaDB from 11.7 on. */
  readonly hasVectors: boolean;
  /** TIMESTAMP goes up to 2106: MariaDB from 11.5 on. The others end in 2038. */
  readonly hasYear2106: boolean;
  /** `GEOMETRYCOLLECTION EMPTY` is a shape. MySQL 5.6 reads no such text. */
  readonly hasEmptyShapes: boolean;
  /** Text that one row takes. MySQL 5.6 refuses more than a tenth of the redo log; the others what is no packet. */
  readonly largestTextBytes: number;
}

/** The servers that this run is about: both, unless the matrix says that there is one only. */
export async function testedServers(): Promise<readonly ServerFeatures[]> {
  const names = (process.env.TEST_BINLOG_SERVERS || 'mysql,mariadb').split(',') as MysqlServer[];
  return Promise.all(names.map(readFeatures));
}

/** For the rest of the row's event. */
const ROOM_BYTES = 1024 * 1024;

async function readFeatures(server: MysqlServer): Promise<ServerFeatures> {
  const connection = await mysql.createConnection({ uri: mysqlUrl(server) });
  try {
    const [rows] = await connection.query('SHOW GLOBAL VARIABLES');
    const variables = new Map(
      (rows as { Variable_name: string; Value: string }[]).map(({ Variable_name, Value }) => [Variable_name, Value]),
    );
    const [major = 0, minor = 0] = (variables.get('version') ?? '').split('.').map(Number);
    const isMysql = server === 'mysql';
    const isOld = isMysql && major < 8;
    const metadata = variables.get('binlog_row_metadata');
    const packetBytes = Number(variables.get('max_allowed_packet'));
    const redoLogBytes =
      Number(variables.get('innodb_log_file_size')) * Number(variables.get('innodb_log_files_in_group'));
    return {
      server,
      label: `${isMysql ? 'MySQL' : 'MariaDB'} ${major}.${minor}`,
      hasBinaryJson: isMysql && !isOld,
      hasGtids: !isMysql || variables.get('gtid_mode') === 'ON',
      hasNames: metadata === 'FULL',
      canLeaveNamesOut: metadata !== undefined,
      compression: isOld ? null : isMysql ? 'SESSION binlog_transaction_compression' : 'GLOBAL log_bin_compress',
      keepsPreparedXa: !isOld,
      canRenameColumns: !isOld,
      utf8Charsets: [isOld ? 'utf8' : 'utf8mb3', 'utf8mb4'],
      keepsForeignBytes: !isMysql || isOld,
      understandsGoldens: !isOld,
      isDefault: `${major}.${minor}.`.startsWith(`${isMysql ? DEFAULT_MYSQL : DEFAULT_MARIADB}.`),
      hasRoles: !isOld,
      canAlterPasswords: !isOld,
      takesPlainPasswords: isMysql && !isOld,
      hasMysql8: isMysql && !isOld,
      hasJson: !isOld,
      hasVectors: isMysql ? major >= 9 : major * 100 + minor >= 1107,
      hasYear2106: !isMysql && major * 100 + minor >= 1105,
      hasEmptyShapes: !isOld,
      largestTextBytes: Math.min(packetBytes - ROOM_BYTES, isOld ? redoLogBytes / 10 - ROOM_BYTES : packetBytes),
    };
  } finally {
    await connection.end();
  }
}
