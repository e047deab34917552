import {
  type Classification,
  classifiedError,
  codeOf,
  configuration,
  isTlsCode,
  PASSING_SOCKET_CODES,
  resync,
  transient,
  unforeseen,
} from '../../src/core/error-classification.ts';
import { ConfigurationError, TailraceError } from '../../src/core/errors.ts';
import { tlsFault } from '../../src/core/tls-fault.ts';

const GRANTS = "Grant what `tailrace check` names; the connector's README lists all grants.";
const REFUSED =
  'Correct user and password of the source, and the host of the account. An account that has REQUIRE SSL wants tls.mode require; with REQUIRE X509 also tls.cert_file and tls.key_file.';
const SAME_ID = 'Another replica uses the same id: give this source a server_id of its own.';
const AGAIN = 'Look at the server and the way to it; the daemon tries again by itself.';

/** Error numbers: https://dev.mysql.com/doc/mysql-errors/9.4/en/server-error-reference.html; MariaDB shares those below 1900. */
const BY_NUMBER: Readonly<Record<number, Classification>> = {
  1040: transient('MYSQL_TOO_MANY_CONNECTIONS', 'Raise max_connections, or end connections that nobody needs.'),
  1044: configuration('MYSQL_PRIVILEGE_MISSING', GRANTS),
  1045: configuration('MYSQL_AUTHENTICATION', REFUSED),
  1049: configuration('MYSQL_DATABASE_MISSING', 'Correct the database of the source.'),
  1053: transient('MYSQL_UNAVAILABLE', AGAIN),
  1142: configuration('MYSQL_PRIVILEGE_MISSING', GRANTS),
  1143: configuration('MYSQL_PRIVILEGE_MISSING', GRANTS),
  1146: transient('MYSQL_TABLE_CHANGED', 'The table was dropped or renamed meanwhile; it is looked up again.'),
  1158: transient('MYSQL_CONNECTION_LOST', AGAIN),
  1159: transient('MYSQL_CONNECTION_LOST', AGAIN),
  1160: transient('MYSQL_CONNECTION_LOST', AGAIN),
  1161: transient('MYSQL_CONNECTION_LOST', AGAIN),
  1176: transient('MYSQL_TABLE_CHANGED', 'The table was altered meanwhile; it is looked up again.'),
  1205: transient('MYSQL_LOCK_TIMEOUT', AGAIN),
  1213: transient('MYSQL_DEADLOCK', AGAIN),
  1227: configuration('MYSQL_PRIVILEGE_MISSING', GRANTS),
  1251: configuration('MYSQL_AUTHENTICATION', 'The account uses an authentication plugin that is not supported here.'),
  1317: transient('MYSQL_QUERY_INTERRUPTED', AGAIN),
  1412: transient('MYSQL_TABLE_CHANGED', 'The table was altered meanwhile; it is read in another view.'),
  1698: configuration('MYSQL_AUTHENTICATION', REFUSED),
  1820: configuration('MYSQL_PASSWORD_EXPIRED', 'Set a new password for the account.'),
  1862: configuration('MYSQL_PASSWORD_EXPIRED', 'Set a new password for the account.'),
  1927: transient('MYSQL_CONNECTION_LOST', AGAIN),
  2061: configuration('MYSQL_AUTHENTICATION', 'caching_sha2_password needs TLS: set tls.mode to require.'),
  3118: configuration('MYSQL_ACCOUNT_LOCKED', 'Unlock the account.'),
  3169: transient('MYSQL_CONNECTION_LOST', AGAIN),
  4031: transient('MYSQL_CONNECTION_LOST', AGAIN),
  // ER_SLAVE_SAME_ID, of MariaDB alone.
  4052: transient('MYSQL_SERVER_ID_IN_USE', SAME_ID),
};

/** ER_MASTER_FATAL_ERROR_READING_BINLOG: everything that ends a dump, told apart only by words. */
const DUMP_ERROR = 1236;

/** Each with a recorded sample. */
const DUMP_ERRORS: readonly (Classification & { readonly pattern: RegExp })[] = [
  {
    // Could not find first log file name in binary log index file
    pattern: /^Could not find first log file name in binary log index file/,
    ...resync('MYSQL_BINLOG_PURGED', 'The server removed the file that is needed. Run `tailrace resync`.'),
  },
  {
    // Cannot replicate because the source purged required binary logs. Replicate the missing transactions from elsewhere, …
    pattern: /^Cannot replicate because the (source|master) purged required binary logs/,
    ...resync('MYSQL_BINLOG_PURGED', 'The server removed transactions that are needed. Run `tailrace resync`.'),
  },
  {
    // Error: connecting slave requested to start from GTID 0-1-7, which is not in the master's binlog
    pattern: /requested to start from GTID [0-9-]+, which is not in the master's binlog/,
    ...resync('MYSQL_GTID_NOT_IN_BINLOG', 'The server does not have this GTID. Run `tailrace resync`.'),
  },
  {
    // Could not find GTID state requested by slave in any binlog files. Probably the slave state is too old and required binlog files have been purged.
    pattern: /^Could not find GTID state requested by slave in any binlog files/,
    ...resync('MYSQL_BINLOG_PURGED', 'The server removed transactions that are needed. Run `tailrace resync`.'),
  },
  {
    // Client requested source to start replication from position > file size
    pattern: /^Client requested (source|master) to start replication from (impossible position|position > file size)/,
    ...resync('MYSQL_BINLOG_SHORTER', 'The binlog is not the one that was read before. Run `tailrace resync`.'),
  },
  {
    // A replica with the same server_uuid/server_id as this replica has connected to the source; …
    pattern: /^A (replica|slave) with the same server_uuid\/server_id as this (replica|slave) has connected/,
    ...transient('MYSQL_SERVER_ID_IN_USE', SAME_ID),
  },
];

/** What the driver says of connections that broke. */
const PASSING_DRIVER_CODES: ReadonlySet<string> = new Set([
  'PROTOCOL_CONNECTION_LOST',
  'PROTOCOL_ENQUEUE_AFTER_FATAL_ERROR',
  'PROTOCOL_SEQUENCE_TIMEOUT',
]);

/** True where the server has no TLS: `prefer` then goes on without. */
export function isTlsUnsupported(error: unknown): boolean {
  return codeOf(error) === 'HANDSHAKE_NO_SSL_SUPPORT';
}

/** The server's error number; null of an error that is not the server's. */
export function numberOf(error: unknown): number | null {
  const number = (error as { errno?: unknown } | null)?.errno;
  return typeof number === 'number' && number >= 1000 ? number : null;
}

/** Gives what the driver or the server threw its class. `doing` completes "MySQL failed while …". */
export function mysqlError(error: unknown, doing: string): TailraceError {
  if (error instanceof TailraceError) return error;
  const fault = tlsFault(error, 'tls');
  if (fault !== null) {
    const context = { code: 'MYSQL_TLS', remedy: fault.remedy, cause: error };
    return new ConfigurationError(`The server failed while ${doing}: ${fault.problem}`, context);
  }
  const number = numberOf(error);
  const text = wordsOf(error);
  return classifiedError(classify(error, number, text), describe(text, number, doing), error);
}

/** The same for an error packet in the stream. */
export function streamError(number: number, text: string): TailraceError {
  return classifiedError(classify(null, number, text), describe(text, number, 'streaming'));
}

/** The same for an error packet in the answer to a statement of ours. Its number is in `cause`, as the driver has it. */
export function serverError(number: number, text: string, doing: string): TailraceError {
  return mysqlError(Object.assign(new Error(text), { errno: number, sqlMessage: text }), doing);
}

function describe(text: string, number: number | null, doing: string): string {
  return `The server failed while ${doing}: ${text}${number === null ? '' : ` (${number})`}`;
}

function wordsOf(error: unknown): string {
  const { sqlMessage } = error as { sqlMessage?: unknown };
  if (typeof sqlMessage === 'string') return sqlMessage;
  return error instanceof Error ? error.message : String(error);
}

function classify(error: unknown, number: number | null, text: string): Classification {
  if (number === DUMP_ERROR) {
    return DUMP_ERRORS.find(({ pattern }) => pattern.test(text)) ?? unforeseen('MYSQL_DUMP_REFUSED');
  }
  if (number !== null) return BY_NUMBER[number] ?? unforeseen('MYSQL_UNEXPECTED');
  const code = codeOf(error);
  if (code === 'HANDSHAKE_NO_SSL_SUPPORT') {
    return configuration('MYSQL_NO_TLS', 'Turn TLS on at the server, or set tls.mode to disable.');
  }
  if (code === 'AUTH_SWITCH_PLUGIN_ERROR') {
    return configuration(
      'MYSQL_AUTHENTICATION',
      'Give the account caching_sha2_password, sha256_password or mysql_native_password; ed25519 of MariaDB is not supported.',
    );
  }
  if (code !== null && (PASSING_SOCKET_CODES.has(code) || PASSING_DRIVER_CODES.has(code))) {
    return transient('MYSQL_UNAVAILABLE', AGAIN);
  }
  // What is wrong with certificates has been told apart before.
  if (code !== null && (isTlsCode(code) || code === 'HANDSHAKE_SSL_ERROR')) {
    return transient('MYSQL_CONNECTION_LOST', AGAIN);
  }
  return unforeseen('MYSQL_UNEXPECTED');
}
