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

const AGAIN = "The connection is made again; if this repeats, look at the server's log.";

/** SQLSTATEs that need a decision of their own: https://www.postgresql.org/docs/current/errcodes-appendix.html */
const BY_STATE: Readonly<Record<string, Classification>> = {
  '25006': configuration(
    'POSTGRES_READ_ONLY',
    'Connect to the primary, or create the publication there by hand and set slot.autocreate to disabled.',
  ),
  '28000': configuration(
    'POSTGRES_AUTHENTICATION',
    'Allow this user, database and address in pg_hba.conf, with the TLS and the client certificate that tls of the source gives (replication connections need the database named, or "all").',
  ),
  '28P01': configuration('POSTGRES_AUTHENTICATION', 'Correct user and password of the source.'),
  '3D000': configuration('POSTGRES_DATABASE_MISSING', 'Correct the database name of the source.'),
  '42501': configuration(
    'POSTGRES_PRIVILEGE_MISSING',
    "Grant what `tailrace check` names; the connector's README lists all grants.",
  ),
  '42704': configuration(
    'POSTGRES_OBJECT_MISSING',
    'Create the object, or let the source create it (slot.autocreate).',
  ),
  '55P03': transient(
    'POSTGRES_LOCK_TIMEOUT',
    'Another transaction holds a lock on a table, as ALTER TABLE does; end it (pg_stat_activity shows it), or wait.',
  ),
  '55006': transient(
    'POSTGRES_SLOT_IN_USE',
    'Another process reads this slot; stop it, or give this source a slot of its own.',
  ),
  '55000': configuration('POSTGRES_NOT_IN_STATE', 'Run `tailrace check`: the server is not set up for what was asked.'),
  '53400': configuration(
    'POSTGRES_LIMIT_REACHED',
    'Raise max_replication_slots and max_wal_senders, or drop unused slots.',
  ),
  '0A000': configuration(
    'POSTGRES_NOT_SUPPORTED',
    'The server does not support this; see the supported versions in the README.',
  ),
  '22021': {
    errorClass: 'poison',
    code: 'POSTGRES_ENCODING',
    remedy: "A stored text is not valid in the database's encoding; correct the row, or exclude the column.",
  },
};

/** Whole classes of SQLSTATEs that go away by themselves. */
const TRANSIENT_CLASSES: ReadonlySet<string> = new Set(['08', '40', '53', '57', '58']);

/** What has no code of its own and is told only in words. Each with a recorded sample. */
const BY_TEXT: readonly (Classification & { readonly state: string | null; readonly pattern: RegExp })[] = [
  {
    // 42704: publication "tailrace_shop" does not exist
    state: '42704',
    pattern: /^publication ".*" does not exist$/,
    ...resync(
      'POSTGRES_PUBLICATION_MISSING',
      'The publication was dropped: changes since then were not decoded. Run `tailrace resync`.',
    ),
  },
  {
    // 42704: replication slot "tailrace_shop" does not exist
    state: '42704',
    pattern: /^replication slot ".*" does not exist$/,
    ...resync('POSTGRES_SLOT_MISSING', 'The slot was dropped, and with it the log it held. Run `tailrace resync`.'),
  },
  {
    // 55000: can no longer get changes from replication slot "tailrace_shop" (14 to 17)
    // 55000: can no longer access replication slot "tailrace_shop" (18)
    state: '55000',
    pattern: /^can no longer (get changes from|access) replication slot ".*"$/,
    ...resync(
      'POSTGRES_SLOT_INVALIDATED',
      'The server removed log that the slot needed. Raise max_slot_wal_keep_size, then run `tailrace resync`.',
    ),
  },
  {
    // 55000: cannot use replication slot "tailrace_shop" for logical decoding (17 and newer)
    state: '55000',
    pattern: /^cannot use replication slot ".*" for logical decoding$/,
    ...transient(
      'POSTGRES_SLOT_SYNCHRONISED',
      'The server is a standby that keeps a copy of the slot: the source goes on once it is promoted. Else connect to the primary.',
    ),
  },
  {
    // 58P01: requested WAL segment 000000010000000000000003 has already been removed
    state: '58P01',
    pattern: /^requested WAL segment [0-9A-F]+ has already been removed$/,
    ...resync('POSTGRES_WAL_REMOVED', 'The server removed log that the slot needed. Run `tailrace resync`.'),
  },
  {
    // Connection terminated unexpectedly (pg, without code)
    state: null,
    pattern: /^Connection terminated( unexpectedly| due to connection timeout)?$/,
    ...transient('POSTGRES_CONNECTION_LOST', AGAIN),
  },
  {
    // timeout expired (pg's connectionTimeoutMillis, without code)
    state: null,
    pattern: /^timeout expired$/,
    ...transient('POSTGRES_CONNECT_TIMEOUT', 'The server did not answer in time; check host, port and firewall.'),
  },
  {
    // The server does not support SSL connections (pg, without code)
    state: null,
    pattern: /^The server does not support SSL connections$/,
    ...configuration('POSTGRES_NO_TLS', 'Turn TLS on at the server, or set tls.mode to disable.'),
  },
  {
    // There was an error establishing an SSL connection (pg, without code)
    state: null,
    pattern: /^There was an error establishing an SSL connection$/,
    ...transient(
      'POSTGRES_UNAVAILABLE',
      'The server refuses connections for now, or what listens there is no Postgres: check host and port.',
    ),
  },
  {
    // SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string (pg, without code)
    state: null,
    pattern: /^SASL: .*client password must be/,
    ...configuration('POSTGRES_AUTHENTICATION', 'The server asks for a password: set the password of the source.'),
  },
  {
    // SASL: SCRAM-SERVER-FINAL-MESSAGE: server signature does not match (pg, without code)
    state: null,
    pattern: /^SASL: /,
    ...configuration(
      'POSTGRES_SERVER_UNPROVEN',
      'The server could not prove that it knows the password: make sure that the address is the right server.',
    ),
  },
];

/** True where the server has no TLS: `prefer` then goes on without. What was classified already has the driver's as its cause. */
export function isTlsUnsupported(error: unknown): boolean {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  return classify(cause).code === 'POSTGRES_NO_TLS';
}

/** True where the server takes no connections because it stops or starts (57P03, cannot_connect_now). */
export function isOutOfService(error: unknown): boolean {
  return error instanceof TailraceError && codeOf(error.cause) === '57P03';
}

function classify(error: unknown): Classification {
  const code = codeOf(error);
  const text = error instanceof Error ? error.message : '';
  const worded = BY_TEXT.find((entry) => entry.state === code && entry.pattern.test(text));
  if (worded !== undefined) return worded;
  if (code !== null) {
    const exact = BY_STATE[code];
    if (exact !== undefined) return exact;
    if (PASSING_SOCKET_CODES.has(code) || (/^[0-9A-Z]{5}$/.test(code) && TRANSIENT_CLASSES.has(code.slice(0, 2)))) {
      return transient(
        'POSTGRES_UNAVAILABLE',
        'Look at the server and the way to it; the daemon tries again by itself.',
      );
    }
    // What is wrong with certificates has been told apart before.
    if (isTlsCode(code)) return transient('POSTGRES_CONNECTION_LOST', AGAIN);
  }
  return unforeseen('POSTGRES_UNEXPECTED');
}

/** Gives what the driver or the server threw its class. `doing` completes "Postgres failed while …". */
export function postgresError(error: unknown, doing: string): TailraceError {
  if (error instanceof TailraceError) return error;
  const fault = tlsFault(error, 'tls');
  if (fault !== null) {
    const context = { code: 'POSTGRES_TLS', remedy: fault.remedy, cause: error };
    return new ConfigurationError(`Postgres failed while ${doing}: ${fault.problem}`, context);
  }
  const sqlState = codeOf(error);
  const words = error instanceof Error ? error.message : String(error);
  const message = `Postgres failed while ${doing}: ${words}${sqlState === null ? '' : ` (${sqlState})`}`;
  return classifiedError(classify(error), message, error);
}
