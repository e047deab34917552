import assert from 'node:assert/strict';
import { it } from 'node:test';
import { deflateRawSync, deflateSync } from 'node:zlib';
import { compressedCodec } from '../../../../../connectors/mysql/codecs/compressed.ts';
import { textCodec } from '../../../../../connectors/mysql/codecs/text.ts';
import { EventType } from '../../../../../connectors/mysql/protocol/binlog-event.ts';
import { readLength, rowLayoutOf } from '../../../../../connectors/mysql/protocol/row-layout.ts';
import { emptyRowsEvent, parseRowsEvent } from '../../../../../connectors/mysql/protocol/rows-event.ts';
import { parseTableMap } from '../../../../../connectors/mysql/protocol/table-map-event.ts';
import { TypeCode } from '../../../../../connectors/mysql/protocol/type-code.ts';
import { MalformedValueError } from '../../../../../src/core/errors.ts';
import { eventOf } from '../../../../fixtures/mysql/recorded.ts';
import { plainValue } from '../../../../support/plain-value.ts';

const MODES = { unavailablePlaceholder: '' } as Parameters<typeof textCodec>[1];
const text = (charset: string) => compressedCodec(textCodec(charset, MODES));

/** The values of the only row of a recorded insert, by type. */
function recordedCells(): { type: number; bytes: Buffer }[] {
  const mapEvent = eventOf('mariadb-11.8', 'own types', EventType.tableMap);
  const event = eventOf('mariadb-11.8', 'own types', EventType.writeRowsV1);
  const map = parseTableMap(mapEvent, 0, mapEvent.length, 'mariadb');
  const rows = emptyRowsEvent();
  parseRowsEvent(event, 0, event.length, rows);
  const { widths } = rowLayoutOf(map);
  let at = rows.firstRow + ((widths.length + 7) >> 3);
  return Array.from(widths, (width, index) => {
    const start = width >= 0 ? at : at - width;
    const end = width >= 0 ? at + width : start + readLength(event, at, -width);
    at = end;
    return { type: map.types[index]!, bytes: event.subarray(start, end) };
  });
}

it('reads what MariaDB compressed, and what it left as it was', () => {
  const cells = recordedCells();
  const varchar = cells.find(({ type }) => type === TypeCode.varcharCompressed)!;
  assert.equal(plainValue(text('cp1251'), varchar.bytes), 'ж'.repeat(150));
  const [long, short] = cells.filter(({ type }) => type === TypeCode.blobCompressed);
  assert.ok(long!.bytes.length < 50, 'it is compressed');
  assert.equal(plainValue(text('latin1'), long!.bytes), 't'.repeat(500));
  assert.equal(plainValue(text('latin1'), short!.bytes), 'short');
});

it("reads both forms of zlib's, and nothing as the empty text", () => {
  const content = Buffer.from('ü'.repeat(40_000));
  const head = (flags: number, bytes: number) => {
    const buffer = Buffer.alloc(1 + bytes);
    buffer[0] = 0x80 | flags | bytes;
    buffer.writeUIntBE(content.length, 1, bytes);
    return buffer;
  };
  for (const bytes of [3, 4]) {
    assert.equal(plainValue(text('utf8mb4'), Buffer.concat([head(0, bytes), deflateSync(content)])), `${content}`);
    assert.equal(plainValue(text('utf8mb4'), Buffer.concat([head(8, bytes), deflateRawSync(content)])), `${content}`);
  }
  assert.equal(plainValue(text('utf8mb4'), Buffer.alloc(0)), '');
  assert.equal(plainValue(text('utf8mb4'), Buffer.of(0)), '');
});

it('refuses what is not whole', () => {
  const deflated = deflateRawSync(Buffer.alloc(300, 0x61));
  const whole = Buffer.concat([Buffer.of(0x8a, 1, 44), deflated]);
  assert.equal(plainValue(text('latin1'), whole), 'a'.repeat(300));
  const broken = {
    'another method': Buffer.concat([Buffer.of(0x9a), whole.subarray(1)]),
    'no length': Buffer.concat([Buffer.of(0x88), deflated]),
    'a length beyond 32 bits': Buffer.concat([Buffer.of(0x8d, 0, 0, 0, 1, 44), deflated]),
    'a shorter length': Buffer.concat([Buffer.of(0x8a, 1, 43), deflated]),
    'a longer length': Buffer.concat([Buffer.of(0x8a, 1, 45), deflated]),
    'a cut end': whole.subarray(0, -2),
    'only a head': Buffer.of(0x8a, 1),
  };
  for (const [what, bytes] of Object.entries(broken)) {
    assert.throws(() => plainValue(text('latin1'), bytes), MalformedValueError, what);
  }
});
