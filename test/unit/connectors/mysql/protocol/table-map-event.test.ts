import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ProtocolError } from '../../../../../connectors/mysql/protocol/protocol-error.ts';
import { NO_OPTIONAL_METADATA, type TableMap } from '../../../../../connectors/mysql/protocol/table-map.ts';
import { parseTableMap } from '../../../../../connectors/mysql/protocol/table-map-event.ts';
import { dialectOf, eventOf, type Recording } from '../../../../fixtures/mysql/recorded.ts';

const TABLE_MAP = 19;

function mapOf(recording: Recording, step: string, index = 0): TableMap {
  const event = eventOf(recording, step, TABLE_MAP, index);
  return parseTableMap(event, 0, event.length, dialectOf(recording));
}

const WITH_METADATA: readonly Recording[] = ['mysql-9.7', 'mariadb-11.8', 'mariadb-10.11'];

// The columns as scenarios.ts declares them: t tu s su m mu y i iu b bu f fu d n nu b1 b9 b64 bool.
test('numbers: types, metadata and which are unsigned', () => {
  for (const recording of [...WITH_METADATA, 'mysql-5.6'] as const) {
    const map = mapOf(recording, 'numbers');
    assert.equal(map.database, 'recorded');
    assert.equal(map.table, 'numbers');
    assert.deepEqual([...map.types], [1, 1, 2, 2, 9, 9, 13, 3, 3, 8, 8, 4, 4, 5, 246, 246, 16, 16, 16, 1]);
    const decimals = [(10 << 8) | 2, (65 << 8) | 30];
    assert.deepEqual([...map.metadata], [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 4, 8, ...decimals, 1, 9, 64, 0]);
    assert.deepEqual([...map.nullable], [1, 0, ...new Array(18).fill(1)]);
    if (recording === 'mysql-5.6') {
      assert.deepEqual(map.optional, NO_OPTIONAL_METADATA);
      continue;
    }
    const unsigned = map.optional.unsigned ?? [];
    const names = (map.optional.names ?? []).filter((_, column) => unsigned[column] === 1);
    assert.deepEqual(names, ['tu', 'su', 'mu', 'y', 'iu', 'bu', 'fu', 'nu']);
  }
});

test('times: fractional digits', () => {
  for (const recording of [...WITH_METADATA, 'mysql-5.6'] as const) {
    const map = mapOf(recording, 'times');
    assert.deepEqual([...map.types], [10, 19, 19, 19, 19, 18, 18, 18, 17, 17, 17]);
    assert.deepEqual([...map.metadata], [0, 0, 1, 3, 6, 0, 2, 6, 0, 4, 6]);
  }
});

test('texts: bytes, charsets and labels', () => {
  for (const recording of [...WITH_METADATA, 'mysql-5.6'] as const) {
    const map = mapOf(recording, 'texts');
    assert.deepEqual(
      [...map.types],
      [254, 254, 254, 15, 15, 15, 252, 252, 252, 252, 252, 252, 252, 252, 247, 248, 247],
    );
    // CHAR(255) of utf8mb4 has 1020 bytes: bits of the length are in its type.
    assert.deepEqual([...map.metadata], [10, 1020, 5, 80, 300, 300, 1, 2, 3, 4, 1, 2, 3, 4, 1, 1, 1]);
    if (recording === 'mysql-5.6') continue;
    const { collations, labelCollations, labels } = map.optional;
    assert.deepEqual(collations, [8, 46, 63, 45, 51, 63, 45, 45, 13, 28, 63, 63, 63, 63, null, null, null]);
    assert.deepEqual(labelCollations?.slice(14), [45, 8, 45]);
    const texts = (labels ?? []).map(
      (ofColumn) => ofColumn?.map((label) => Buffer.from(label).toString('hex')) ?? null,
    );
    const utf8 = (text: string): string => Buffer.from(text).toString('hex');
    assert.deepEqual(texts.slice(14), [
      [utf8('a'), utf8('ж'), utf8('c,d')],
      // In latin1, as the column is.
      [utf8('x'), utf8("y'z"), 'df'],
      [utf8('a')],
    ]);
    assert.ok(texts.slice(0, 14).every((label) => label === null));
  }
});

test('geometries between texts do not shift charsets, in either dialect', () => {
  for (const recording of WITH_METADATA) {
    const { optional, types, metadata } = mapOf(recording, 'geometries');
    assert.deepEqual([...types], [15, 255, 15, 255, 255, 15]);
    assert.deepEqual([...metadata], [10, 4, 10, 4, 4, 40]);
    assert.deepEqual(optional.collations, [8, null, 63, null, null, 45]);
    assert.deepEqual(optional.geometryTypes, [null, 0, null, 1, 7, null]);
  }
});

test('vectors and documents between texts do not either', () => {
  const mysql = mapOf('mysql-9.7', 'vectors');
  assert.deepEqual([...mysql.types], [15, 242, 15]);
  assert.deepEqual([...mysql.metadata], [5, 4, 5]);
  assert.deepEqual(mysql.optional.collations, [8, null, 51]);
  assert.deepEqual(mysql.optional.vectorDimensions, [null, 3, null]);
  const json = mapOf('mysql-9.7', 'json');
  assert.deepEqual([...json.types], [3, 245]);
  assert.equal(json.metadata[1], 4);
  // MariaDB's VECTOR is a VARBINARY of 4 bytes a dimension.
  const mariadb = mapOf('mariadb-11.8', 'vectors');
  assert.deepEqual([...mariadb.types], [15, 15, 15]);
  assert.deepEqual([...mariadb.metadata], [5, 12, 5]);
  assert.deepEqual(mariadb.optional.collations, [8, 63, 51]);
});

test("MariaDB's own types: UUID and INET as CHAR, compressed columns", () => {
  for (const recording of ['mariadb-11.8', 'mariadb-10.11'] as const) {
    const map = mapOf(recording, 'own types');
    assert.deepEqual([...map.types], [15, 254, 254, 252, 141, 140, 140, 15]);
    assert.deepEqual([...map.metadata], [5, 16, 16, 4, 201, 2, 2, 5]);
    assert.deepEqual(map.optional.collations, [8, 63, 63, 46, 51, 8, 63, 51]);
    assert.deepEqual([...mapOf(recording, 'inet4').types], [254, 15]);
    assert.equal(mapOf(recording, 'inet4').metadata[0], 4);
  }
});

test('primary keys in the order of the key, with prefixes too', () => {
  for (const recording of WITH_METADATA) {
    assert.deepEqual(mapOf(recording, 'keys', 0).optional.primaryKey, [2, 0]);
    assert.deepEqual(mapOf(recording, 'keys', 1).optional.primaryKey, [1, 0]);
    assert.equal(mapOf(recording, 'numbers').optional.primaryKey, null);
  }
});

test('invisible columns, where the server tells them', () => {
  assert.deepEqual([...(mapOf('mysql-9.7', 'invisible').optional.visible ?? [])], [1, 0, 1]);
  assert.deepEqual(mapOf('mysql-9.7', 'invisible').optional.names, ['a', 'b', 'c']);
  assert.equal(mapOf('mariadb-11.8', 'invisible').optional.visible, null);
});

test('300 columns', () => {
  for (const recording of WITH_METADATA) {
    const { types, optional } = mapOf(recording, 'wide');
    assert.equal(types.length, 300);
    assert.equal(optional.names?.[299], 'c299');
    assert.ok(optional.unsigned?.every((flag, column) => flag === column % 2));
  }
});

test('less metadata: MINIMAL has signs and charsets of texts, NO_LOG nothing', () => {
  for (const recording of WITH_METADATA) {
    const numbers = mapOf(recording, 'minimal metadata', 0).optional;
    assert.equal(numbers.unsigned?.[1], 1);
    assert.equal(numbers.names, null);
    const texts = mapOf(recording, 'minimal metadata', 1).optional;
    assert.deepEqual(texts.collations?.slice(0, 4), [8, 46, 63, 45]);
    assert.equal(texts.labels, null);
    assert.equal(texts.primaryKey, null);
  }
  assert.deepEqual(mapOf('mariadb-11.8', 'no metadata').optional, NO_OPTIONAL_METADATA);
});

test('a field of a newer server is stepped over', () => {
  const event = eventOf('mysql-9.7', 'keys', TABLE_MAP);
  const longer = Buffer.concat([event, Buffer.from([99, 3, 1, 2, 3])]);
  assert.deepEqual(parseTableMap(longer, 0, longer.length, 'mysql'), parseTableMap(event, 0, event.length, 'mysql'));
});

test('metadata that do not fit the columns are refused', () => {
  const geometries = eventOf('mariadb-11.8', 'geometries', TABLE_MAP);
  // Written by MariaDB and read as MySQL's: three charsets too many.
  assert.throws(() => parseTableMap(geometries, 0, geometries.length, 'mysql'), ProtocolError);
  const numbers = Buffer.from(eventOf('mysql-9.7', 'numbers', TABLE_MAP));
  const signs = numbers.indexOf(Buffer.from([1, 3, 0x56, 0xa9, 0]));
  assert.ok(signs > 0);
  numbers[signs + 2] = 0x54;
  assert.throws(() => parseTableMap(numbers, 0, numbers.length, 'mysql'), /unsigned/);
});
