import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EventType } from '../../../../../connectors/mysql/protocol/binlog-event.ts';
import { ProtocolError } from '../../../../../connectors/mysql/protocol/protocol-error.ts';
import { ANSI_QUOTES, parseQuery, type QueryEvent } from '../../../../../connectors/mysql/protocol/query-event.ts';
import { parseXaPrepare } from '../../../../../connectors/mysql/protocol/xa.ts';
import { eventOf, eventsOf, RECORDINGS, type Recording } from '../../../../fixtures/mysql/recorded.ts';

function parse(event: Buffer): QueryEvent & { text: string } {
  const query = parseQuery(event, 0, event.length);
  return { ...query, text: event.toString('utf8', query.textStart, query.textEnd) };
}

function textsOf(recording: Recording, step: string): string[] {
  return eventsOf(recording, step, EventType.query).map((event) => parse(event).text);
}

test('statement, database and what the connection had set', () => {
  for (const recording of RECORDINGS) {
    const query = parse(eventOf(recording, 'statements', EventType.query));
    assert.equal(query.text, 'CREATE TABLE "quoted" (i INT DEFAULT 5)');
    assert.equal(query.database, 'recorded');
    assert.equal(query.errorCode, 0);
    assert.ok(query.threadId > 0);
    assert.equal(query.sqlModeLow & ANSI_QUOTES, ANSI_QUOTES);
    assert.equal(query.clientCollation, 8);
    // Of the statements before, whose connection kept its utf8mb4.
    assert.equal(parse(eventOf(recording, 'rotate', EventType.query)).clientCollation, 224);
  }
});

test('what begins, divides and ends transactions', () => {
  assert.deepEqual(textsOf('mysql-9.7', 'transaction'), ['BEGIN', 'SAVEPOINT `s`']);
  assert.deepEqual(textsOf('mariadb-11.8', 'transaction'), ['SAVEPOINT `s`']);
});

test('statements about XA transactions name them as their events do', () => {
  for (const recording of ['mysql-9.7', 'mariadb-11.8', 'mariadb-10.11'] as const) {
    for (const [step, verb] of [
      ['xa commit', 'COMMIT'],
      ['xa rollback', 'ROLLBACK'],
    ] as const) {
      const prepare = eventOf(recording, step, EventType.xaPrepare);
      const { xid, onePhase } = parseXaPrepare(prepare, 0, prepare.length);
      assert.equal(onePhase, false);
      assert.equal(textsOf(recording, step).at(-1), `XA ${verb} ${xid}`);
    }
  }
  const onePhase = eventOf('mysql-9.7', 'xa one phase', EventType.xaPrepare);
  assert.deepEqual(parseXaPrepare(onePhase, 0, onePhase.length), { onePhase: true, xid: "X'00ff',X'',1" });
});

/** A query event with these status variables. */
function withVariables(...variables: readonly number[]): Buffer {
  const head = Buffer.alloc(19 + 13);
  head[4] = EventType.query;
  head[19 + 8] = 1;
  head.writeUInt16LE(variables.length, 19 + 11);
  return Buffer.concat([head, Buffer.from(variables), Buffer.from('d\0TEXT')]);
}

const CHARSET = [4, 33, 0, 1, 0, 2, 0];

test('status variables of every kind are stepped over', () => {
  for (const [name, variable] of Object.entries({
    flags: [0, 1, 2, 3, 4],
    catalog: [2, 3, 115, 116, 100, 0],
    increments: [3, 1, 0, 1, 0],
    zone: [5, 2, 43, 48],
    catalogWithoutEnd: [6, 3, 115, 116, 100],
    timeNames: [7, 0, 0],
    databaseCharset: [8, 8, 0],
    tableMap: [9, 1, 2, 3, 4, 5, 6, 7, 8],
    written: [10, 1, 2, 3, 4],
    invoker: [11, 1, 117, 2, 104, 104],
    databases: [12, 2, 97, 0, 98, 98, 0],
    tooManyDatabases: [12, 254],
    timestamps: [16, 1],
    xid: [17, 1, 2, 3, 4, 5, 6, 7, 8],
    collation: [18, 255, 0],
    keys: [19, 1],
    encryption: [20, 0],
    mariadbXid: [129, 1, 2, 3, 4, 5, 6, 7, 8],
    mariadbFlags: [130, 2],
    mariadbEndOfAlter: [130, 4, 1, 2, 3, 4, 5, 6, 7, 8],
    mariadbCollations: [131, 2, 1, 0, 2, 0, 3, 0, 4, 0],
    padding: [255, 255, 255],
  })) {
    const query = parse(withVariables(...variable, ...CHARSET));
    assert.equal(query.clientCollation, 33, name);
    assert.equal(query.text, 'TEXT');
  }
});

test('behind a variable of a newer server nothing is read, and the text is where it is', () => {
  const query = parse(withVariables(1, 4, 0, 0, 0, 0, 0, 0, 0, 77, 1, ...CHARSET));
  assert.deepEqual([query.sqlModeLow, query.clientCollation, query.text], [4, null, 'TEXT']);
});

test('microseconds', () => {
  assert.equal(parse(withVariables(13, 0x40, 0xe2, 0x01)).microseconds, 123_456);
  assert.equal(parse(withVariables(128, 0x40, 0xe2, 0x01)).microseconds, 123_456);
  assert.equal(parse(withVariables()).microseconds, null);
});

test('variables that are cut off, and a database without an end', () => {
  assert.throws(() => parse(withVariables(5, 9, 1)), ProtocolError);
  const event = withVariables();
  event[event.indexOf('d\0TEXT') + 1] = 1;
  assert.throws(() => parse(event), ProtocolError);
});
