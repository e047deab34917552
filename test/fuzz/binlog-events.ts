import assert from 'node:assert/strict';
import { uncompressEvent } from '../../connectors/mysql/compressed-event.ts';
import { EventType } from '../../connectors/mysql/protocol/binlog-event.ts';
import { parseFormatDescription } from '../../connectors/mysql/protocol/format-description.ts';
import { parseGtid } from '../../connectors/mysql/protocol/gtid-events.ts';
import { parsePreviousGtids } from '../../connectors/mysql/protocol/gtid-set-encoding.ts';
import { GtidSources } from '../../connectors/mysql/protocol/gtid-sources.ts';
import { parseHeartbeat } from '../../connectors/mysql/protocol/heartbeat.ts';
import { parseIncident } from '../../connectors/mysql/protocol/incident.ts';
import { parseGtidList, parseMariadbGtid } from '../../connectors/mysql/protocol/mariadb-gtid-events.ts';
import { ProtocolError } from '../../connectors/mysql/protocol/protocol-error.ts';
import { parseQuery } from '../../connectors/mysql/protocol/query-event.ts';
import { parseRotate } from '../../connectors/mysql/protocol/rotate.ts';
import { type RowLayout, rowLayoutOf, scanRow } from '../../connectors/mysql/protocol/row-layout.ts';
import { emptyRowsEvent, isUpdate, parseRowsEvent } from '../../connectors/mysql/protocol/rows-event.ts';
import { parseRowsQuery } from '../../connectors/mysql/protocol/rows-query.ts';
import { parseTableMap } from '../../connectors/mysql/protocol/table-map-event.ts';
import { parseTransactionPayload } from '../../connectors/mysql/protocol/transaction-payload.ts';
import { parseXaPrepare } from '../../connectors/mysql/protocol/xa.ts';
import { dialectOf, RECORDINGS, stepsOf } from '../fixtures/mysql/recorded.ts';

import { mutated, type Random } from './random.ts';
import type { FuzzTarget, Verdict } from './target.ts';

const SOURCES = new GtidSources();

const UNCOMPRESSED_LIMIT = 100_000;
const EVENT_HEADER_BYTES = 19;

interface Subject {
  readonly name: string;
  readonly event: Buffer;
  readonly parse: (bytes: Buffer, start: number, end: number) => unknown;
}

/** Steps through the rows as the decoder does. */
function scanRows(bytes: Buffer, start: number, end: number, layout: RowLayout): unknown {
  const rows = emptyRowsEvent();
  parseRowsEvent(bytes, start, end, rows);
  if (rows.columnCount !== layout.columnCount) throw new ProtocolError('another number of columns');
  const images: number[] = [];
  for (let at = rows.firstRow; at < end; ) {
    const isNew = isUpdate(bytes[start + 4] as number) && images.length % 2 === 1;
    const behind = scanRow(bytes, at, end, layout, isNew ? rows.newBitmap : rows.bitmap);
    assert.ok(behind >= at && behind <= end);
    images.push(behind);
    // One of the two images of an update may have no column, not both.
    assert.ok(images.length <= 2 * (end - start));
    at = behind;
  }
  return { ...rows, images };
}

function subjects(): Subject[] {
  const found: Subject[] = [];
  for (const recording of RECORDINGS) {
    const dialect = dialectOf(recording);
    for (const [step, events] of stepsOf(recording)) {
      let layout: RowLayout | null = null;
      for (const event of events) {
        const type = event[4] as number;
        if (type === EventType.tableMap) layout = rowLayoutOf(parseTableMap(event, 0, event.length, dialect));
        const parse = parserOf(type, dialect, layout);
        if (parse !== null) found.push({ name: `${recording}, ${step}, ${type}`, event, parse });
      }
    }
  }
  const incident = Buffer.concat([Buffer.alloc(19), Buffer.from([1, 0, 4]), Buffer.from('lost')]);
  return [...found, { name: 'incident', event: incident, parse: parseIncident }];
}

function parserOf(type: number, dialect: 'mysql' | 'mariadb', layout: RowLayout | null): Subject['parse'] | null {
  switch (type) {
    case EventType.query:
      return parseQuery;
    case EventType.rotate:
      return parseRotate;
    case EventType.formatDescription:
      return parseFormatDescription;
    case EventType.tableMap:
      return (bytes, start, end) => {
        const map = parseTableMap(bytes, start, end, dialect);
        return { map, layout: rowLayoutOf(map) };
      };
    case EventType.heartbeat:
    case EventType.heartbeatV2:
      return parseHeartbeat;
    case EventType.rowsQuery:
    case EventType.mariadbAnnotateRows:
      return parseRowsQuery;
    case EventType.gtid:
    case EventType.anonymousGtid:
    case EventType.gtidTagged:
      return (bytes, start, end) => parseGtid(bytes, start, end, SOURCES);
    case EventType.previousGtids:
      return (bytes, start, end) => parsePreviousGtids(bytes, start, end).toString();
    case EventType.xaPrepare:
      return parseXaPrepare;
    case EventType.transactionPayload:
      return parseTransactionPayload;
    case EventType.mariadbGtid:
      return (bytes, start, end) => parseMariadbGtid(bytes, start, end, SOURCES);
    case EventType.mariadbGtidList:
      return parseGtidList;
    default:
      break;
  }
  if (type >= EventType.mariadbQueryCompressed && type <= EventType.mariadbDeleteRowsCompressed) {
    return (bytes, start, end) => uncompressEvent(bytes, start, end, UNCOMPRESSED_LIMIT).length <= 1e6;
  }
  const isRows = (type >= 23 && type <= 25) || (type >= 30 && type <= 32);
  if (!isRows || layout === null) return null;
  const known = layout;
  return (bytes, start, end) => scanRows(bytes, start, end, known);
}

/** The result, or the class of what was thrown, where that is the one that may be. */
function outcome(subject: Subject, bytes: Buffer, start: number, end: number): unknown {
  try {
    return subject.parse(bytes, start, end);
  } catch (error) {
    if (error instanceof ProtocolError) return `ProtocolError: ${error.message}`;
    throw error;
  }
}

function assertWellFormed(value: unknown): void {
  if (typeof value === 'number') assert.ok(Number.isSafeInteger(value), String(value));
  else if (Array.isArray(value)) for (const item of value) assertWellFormed(item);
  else if (value !== null && typeof value === 'object' && !ArrayBuffer.isView(value)) {
    for (const item of Object.values(value)) assertWellFormed(item);
  }
  assert.notEqual(value, undefined);
}

/** The same between other bytes: nothing beyond the end of an event is read. */
function assertAloneDecides(subject: Subject, event: Buffer, result: unknown): void {
  for (const fill of [0x00, 0xff]) {
    const around = Buffer.concat([Buffer.alloc(7, fill), event, Buffer.alloc(64, fill)]);
    assert.deepEqual(shifted(outcome(subject, around, 7, 7 + event.length), 7), shifted(result, 0));
  }
}

/** Every kind of event that the recordings hold, on each server, without the checksum that keeps such bytes away. */
export function binlogEvents(): FuzzTarget {
  const all = subjects();
  const judge = (subject: Subject, event: Buffer): Verdict => {
    const result = outcome(subject, event, 0, event.length);
    assertWellFormed(result);
    assertAloneDecides(subject, event, result);
    return typeof result === 'string' && result.startsWith('ProtocolError') ? 'refused' : 'decoded';
  };
  return {
    name: 'binlog-events',
    weight: 30,
    next(random: Random) {
      const subject = all[random(all.length)]!;
      // The header stays, or another parser would be asked.
      const event = mutated(subject.event, random, EVENT_HEADER_BYTES);
      return { input: `${subject.name}: ${event.toString('hex')}`, judge: () => judge(subject, event) };
    },
  };
}

const OFFSETS = new Set(['textStart', 'textEnd', 'payloadStart', 'payloadEnd', 'bitmap', 'newBitmap', 'firstRow']);

/** A result with its offsets from the start of the event. */
function shifted(result: unknown, by: number): unknown {
  if (result === null || typeof result !== 'object') return result;
  return Object.fromEntries(
    Object.entries(result).map(([key, value]) => {
      if (OFFSETS.has(key)) return [key, (value as number) - by];
      return key === 'images' ? [key, (value as number[]).map((at) => at - by)] : [key, value];
    }),
  );
}
