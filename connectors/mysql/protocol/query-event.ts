import { HEADER_BYTES } from './binlog-event.ts';
import { ByteReader } from './byte-reader.ts';
import { ProtocolError } from './protocol-error.ts';

/** QUERY_EVENT: a statement, or the beginning or end of a transaction. */
export interface QueryEvent {
  readonly threadId: number;
  /** The error with which the statement ended on the server where it was run, 0 for none. */
  readonly errorCode: number;
  /** Default database of the connection; empty where it had none. */
  readonly database: string;
  /** The statement is `bytes[textStart, textEnd)`, in the connection's character set. */
  readonly textStart: number;
  readonly textEnd: number;
  /** The lower 32 bits of `sql_mode` as the log has it; 0 where it does not say. */
  readonly sqlModeLow: number;
  /** Collation id of the connection (`character_set_client`), or null. */
  readonly clientCollation: number | null;
  /** Microseconds to be added to the timestamp of the header, or null. */
  readonly microseconds: number | null;
}

const BEGIN = Buffer.from('BEGIN');
/** Of what comes before the status variables. */
const FIXED_BYTES = 13;
const DATABASE_LENGTH_AT = HEADER_BYTES + 8;
const VARIABLES_LENGTH_AT = HEADER_BYTES + 11;

/** Whether the event is the beginning of a transaction, as the server writes it in front of nearly every one. */
export function isBegin(bytes: Buffer, start: number, end: number): boolean {
  if (end - start < HEADER_BYTES + FIXED_BYTES) return false;
  const variablesLength = bytes.readUInt16LE(start + VARIABLES_LENGTH_AT);
  const databaseLength = bytes[start + DATABASE_LENGTH_AT] as number;
  const textStart = start + HEADER_BYTES + FIXED_BYTES + variablesLength + databaseLength + 1;
  if (end - textStart !== BEGIN.length) return false;
  for (let index = 0; index < BEGIN.length; index++) if (bytes[textStart + index] !== BEGIN[index]) return false;
  return true;
}

/** The connection that ran the statement. Only of an event that `isBegin` or `parseQuery` found whole. */
export function queryThreadId(bytes: Buffer, start: number): number {
  return bytes.readUInt32LE(start + HEADER_BYTES);
}

/** `sql_mode` bit: a double quote is around a name, not a text. */
export const ANSI_QUOTES = 4;
/** `sql_mode` bit: a backslash in a text stands for itself. */
export const NO_BACKSLASH_ESCAPES = 0x10_0000;

/** @see https://dev.mysql.com/doc/dev/mysql-server/latest/classmysql_1_1binlog_1_1event_1_1Query__event.html */
export function parseQuery(bytes: Buffer, start: number, end: number): QueryEvent {
  const reader = new ByteReader(bytes, start + HEADER_BYTES, end);
  const threadId = reader.uint32();
  reader.uint32();
  const databaseLength = reader.uint8();
  const errorCode = reader.uint16();
  const variables = readVariables(reader.part(reader.uint16()));
  const database = reader.utf8(databaseLength);
  if (reader.uint8() !== 0) throw new ProtocolError('the database of a statement has no end');
  return { threadId, errorCode, database, textStart: reader.position, textEnd: end, ...variables };
}

/** Q_*_CODE of statement_events.h, from 128 on of MariaDB's log_event.h. */
const Variable = {
  flags2: 0,
  sqlMode: 1,
  catalogTerminated: 2,
  autoIncrement: 3,
  charset: 4,
  timeZone: 5,
  catalog: 6,
  timeNames: 7,
  databaseCharset: 8,
  tableMapForUpdate: 9,
  dataWritten: 10,
  invoker: 11,
  updatedDatabases: 12,
  microseconds: 13,
  commitTime: 14,
  commitTime2: 15,
  explicitDefaultsForTimestamp: 16,
  ddlXid: 17,
  defaultUtf8mb4Collation: 18,
  requirePrimaryKey: 19,
  defaultTableEncryption: 20,
  mariadbMicroseconds: 128,
  mariadbXid: 129,
  mariadbGtidFlags: 130,
  mariadbCharsetCollations: 131,
  mariadbPadding: 255,
} as const;

/** `updatedDatabases` has this in place of a count where there were too many. */
const TOO_MANY_DATABASES = 254;
/** COMMIT ALTER and ROLLBACK ALTER of MariaDB: the number of the START ALTER follows. */
const ENDS_ALTER = 4 | 8;

interface StatusVariables {
  readonly sqlModeLow: number;
  readonly clientCollation: number | null;
  readonly microseconds: number | null;
}

/**
 * Lengths are known only by kind, so nothing can be read behind one of a newer server; what is needed comes early. The
 * order is not that of the codes: MariaDB 11.5 writes `mariadbCharsetCollations` in front of `charset`.
 */
function readVariables(reader: ByteReader): StatusVariables {
  let sqlModeLow = 0;
  let clientCollation: number | null = null;
  let microseconds: number | null = null;
  while (reader.remaining > 0) {
    const variable = reader.uint8();
    if (variable === Variable.sqlMode) {
      sqlModeLow = reader.uint32();
      reader.skip(4);
    } else if (variable === Variable.charset) {
      clientCollation = reader.uint16();
      reader.skip(4);
    } else if (variable === Variable.microseconds || variable === Variable.mariadbMicroseconds) {
      microseconds = reader.uint24();
    } else if (!skipVariable(reader, variable)) break;
  }
  return { sqlModeLow, clientCollation, microseconds };
}

function skipVariable(reader: ByteReader, variable: number): boolean {
  switch (variable) {
    case Variable.mariadbPadding:
      return true;
    case Variable.explicitDefaultsForTimestamp:
    case Variable.requirePrimaryKey:
    case Variable.defaultTableEncryption:
      reader.skip(1);
      return true;
    case Variable.timeNames:
    case Variable.databaseCharset:
    case Variable.defaultUtf8mb4Collation:
      reader.skip(2);
      return true;
    case Variable.flags2:
    case Variable.autoIncrement:
    case Variable.dataWritten:
      reader.skip(4);
      return true;
    case Variable.tableMapForUpdate:
    case Variable.ddlXid:
    case Variable.mariadbXid:
      reader.skip(8);
      return true;
    case Variable.timeZone:
    case Variable.catalog:
      reader.skip(reader.uint8());
      return true;
    case Variable.catalogTerminated:
      reader.skip(reader.uint8() + 1);
      return true;
    case Variable.invoker:
      reader.skip(reader.uint8());
      reader.skip(reader.uint8());
      return true;
    case Variable.updatedDatabases: {
      const count = reader.uint8();
      if (count !== TOO_MANY_DATABASES) for (let index = 0; index < count; index++) reader.terminated();
      return true;
    }
    case Variable.mariadbGtidFlags:
      if ((reader.uint8() & ENDS_ALTER) !== 0) reader.skip(8);
      return true;
    case Variable.mariadbCharsetCollations:
      reader.skip(reader.uint8() * 4);
      return true;
    default:
      return false;
  }
}
