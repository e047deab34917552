import { HEADER_BYTES } from './binlog-event.ts';
import { ByteReader } from './byte-reader.ts';
import { ProtocolError } from './protocol-error.ts';

/** QUERY_EVENT: a statement, or the beginning or end of a transaction. */
export interface QueryEvent {
  readonly threadId: number;
  /** Default database of the connection; empty where it had none. */
  readonly database: string;
  /** The statement is `bytes[textStart, textEnd)`, in the connection's character set. */
  readonly textStart: number;
  readonly textEnd: number;
  /** `sql_mode` as the log has it; 0 where it does not say. */
  readonly sqlModeLow: number;
  /** Collation id of the connection (`character_set_client`), or null. */
  readonly clientCollation: number | null;
}

/** Q_*_CODE of the server's statement_events.h. */
const FLAGS2 = 0;
const SQL_MODE = 1;
const CATALOG = 2;
const AUTO_INCREMENT = 3;
const CHARSET = 4;

/** `sql_mode` bit: a double quote is around a name, not a text. */
export const ANSI_QUOTES = 4;

export function parseQuery(bytes: Buffer, start: number, end: number): QueryEvent {
  const reader = new ByteReader(bytes, start + HEADER_BYTES, end);
  const threadId = reader.uint32();
  reader.uint32();
  const databaseLength = reader.uint8();
  reader.uint16();
  const variables = readVariables(reader.part(reader.uint16()));
  const database = reader.utf8(databaseLength);
  if (reader.uint8() !== 0) throw new ProtocolError('the database of a statement has no end');
  return { threadId, database, textStart: reader.position, textEnd: end, ...variables };
}

interface StatusVariables {
  readonly sqlModeLow: number;
  readonly clientCollation: number | null;
}

/** They are written in the order of their codes, with lengths that only their kind knows: what is needed comes first. */
function readVariables(reader: ByteReader): StatusVariables {
  let sqlModeLow = 0;
  let clientCollation: number | null = null;
  while (reader.remaining > 0) {
    const code = reader.uint8();
    if (code === FLAGS2) reader.uint32();
    else if (code === SQL_MODE) {
      sqlModeLow = reader.uint32();
      reader.uint32();
    } else if (code === CATALOG) {
      reader.skip(reader.uint8() + 1);
    } else if (code === AUTO_INCREMENT) reader.skip(4);
    else if (code === CHARSET) {
      clientCollation = reader.uint16();
      reader.skip(4);
    } else if (code === CATALOG_WITHOUT_END) reader.skip(reader.uint8());
    else break;
  }
  return { sqlModeLow, clientCollation };
}

/** Q_CATALOG_NZ_CODE, which comes in place of Q_CATALOG_CODE, and before the character sets. */
const CATALOG_WITHOUT_END = 6;
