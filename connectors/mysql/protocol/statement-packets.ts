import { ProtocolError } from './protocol-error.ts';

/**
 * Commands that run statements, and what the server answers, as a client has them that asked neither for query attributes
 * nor for session tracking nor for results without end-of-file packets.
 * @see https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_command_phase.html
 */
const COM_QUERY = 0x03;
const COM_STMT_PREPARE = 0x16;
const COM_STMT_EXECUTE = 0x17;
const COM_STMT_CLOSE = 0x19;
const HEADER_BYTES = 4;
const LARGEST_PACKET = 0xff_ffff;

export const Answer = { ok: 0x00, localFile: 0xfb, endOfFile: 0xfe, error: 0xff } as const;

/** A statement whose rows come as text. */
export function query(statement: string): Buffer {
  return textCommand(COM_QUERY, statement);
}

export function prepare(statement: string): Buffer {
  return textCommand(COM_STMT_PREPARE, statement);
}

/** Runs a prepared statement that has no parameters; its rows come in binary form. */
export function execute(statementId: number): Buffer {
  const content = Buffer.alloc(10);
  content[0] = COM_STMT_EXECUTE;
  content.writeUInt32LE(statementId, 1);
  // No cursor, run once.
  content.writeUInt32LE(1, 6);
  return packets(content);
}

/** Has no answer. */
export function closeStatement(statementId: number): Buffer {
  const content = Buffer.alloc(5);
  content[0] = COM_STMT_CLOSE;
  content.writeUInt32LE(statementId, 1);
  return packets(content);
}

function textCommand(command: number, statement: string): Buffer {
  const text = Buffer.from(statement, 'utf8');
  const content = Buffer.allocUnsafe(text.length + 1);
  content[0] = command;
  text.copy(content, 1);
  return packets(content);
}

/** A command always begins with the sequence number 0; a long one takes several packets. */
function packets(content: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0, sequence = 0; ; sequence++) {
    const part = content.subarray(at, at + LARGEST_PACKET);
    const header = Buffer.alloc(HEADER_BYTES);
    header.writeUIntLE(part.length, 0, 3);
    header[3] = sequence & 0xff;
    parts.push(header, part);
    at += part.length;
    if (part.length < LARGEST_PACKET) return Buffer.concat(parts);
  }
}

export function isEndOfFile(bytes: Buffer, start: number, end: number): boolean {
  return bytes[start] === Answer.endOfFile && end - start < 9;
}

export interface ServerFailure {
  readonly number: number;
  readonly text: string;
}

export function parseError(bytes: Buffer, start: number, end: number): ServerFailure {
  if (end - start < 3) throw new ProtocolError('an error packet ends before its number');
  // `#` and five characters of SQLSTATE stand in front of the text.
  const textStart = bytes[start + 3] === 0x23 ? start + 9 : start + 3;
  return { number: bytes.readUInt16LE(start + 1), text: bytes.toString('utf8', Math.min(textStart, end), end) };
}

export interface PreparedStatement {
  readonly id: number;
  readonly columns: number;
  readonly parameters: number;
}

export function parsePrepared(bytes: Buffer, start: number, end: number): PreparedStatement {
  if (end - start < 9) throw new ProtocolError('the answer to a prepared statement is too short');
  return {
    id: bytes.readUInt32LE(start + 1),
    columns: bytes.readUInt16LE(start + 5),
    parameters: bytes.readUInt16LE(start + 7),
  };
}

/** A length-encoded integer. `end` is where it ends; -1 for NULL. */
export interface EncodedLength {
  value: number;
  end: number;
}

const NULL_TEXT = 0xfb;

/** @throws ProtocolError where it is none, or ends behind `end`. */
export function readLength(bytes: Buffer, at: number, end: number, length: EncodedLength): void {
  const first = bytes[at] as number;
  const size = first === 0xfc ? 2 : first === 0xfd ? 3 : first === 0xfe ? 8 : 0;
  if (at + 1 + size > end || first === 0xff) throw new ProtocolError('a packet ends inside of a length');
  length.end = at + 1 + size;
  if (size === 0) length.value = first === NULL_TEXT ? -1 : first;
  else if (size < 8) length.value = bytes.readUIntLE(at + 1, size);
  else length.value = bytes.readUInt32LE(at + 5) * 0x1_0000_0000 + bytes.readUInt32LE(at + 1);
}

/** The values of a row of text; null for NULL. */
export function parseTextRow(bytes: Buffer, start: number, end: number): (string | null)[] {
  const length: EncodedLength = { value: 0, end: 0 };
  const values: (string | null)[] = [];
  for (let at = start; at < end; ) {
    readLength(bytes, at, end, length);
    if (length.value < 0) {
      values.push(null);
      at = length.end;
      continue;
    }
    at = length.end + length.value;
    if (at > end) throw new ProtocolError('a row ends inside of a value');
    values.push(bytes.toString('utf8', length.end, at));
  }
  return values;
}

/** Catalog, schema, table, its name before an alias, column and its name: texts in front of the fixed part. */
const DEFINITION_TEXTS = 6;

/** Their length, character set, length of values, type, flags, decimals, filler. */
const FIXED_BYTES = 13;
const TYPE_AT = 1 + 2 + 4;

/** The type code of a column definition. */
export function parseColumnType(bytes: Buffer, start: number, end: number): number {
  const length: EncodedLength = { value: 0, end: 0 };
  let at = start;
  for (let text = 0; text < DEFINITION_TEXTS; text++) {
    readLength(bytes, at, end, length);
    at = length.end + length.value;
  }
  // What MariaDB says more of a type comes as one more text, where the driver asked for it.
  if (at + FIXED_BYTES < end) {
    readLength(bytes, at, end, length);
    at = length.end + length.value;
  }
  const type = bytes[at + TYPE_AT];
  if (at + FIXED_BYTES > end || type === undefined) throw new ProtocolError('a column definition is too short');
  return type;
}
