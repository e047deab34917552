import { writeThousandfold } from './codecs/wide-long.ts';
import type { ConnectField, ConnectSchema } from './connect-schema.ts';
import type { SnapshotMarker } from './snapshot.ts';
import type { ValueWriter } from './value-writer.ts';

/** The release of Debezium whose records these are byte for byte; consumers find it in `source.version`. */
export const DEBEZIUM_VERSION = '3.7.0.Final';

const STRING: ConnectSchema = { type: 'string' };
const INT64: ConnectSchema = { type: 'int64' };

const SNAPSHOT: ConnectSchema = {
  type: 'string',
  name: 'io.debezium.data.Enum',
  version: 1,
  parameters: [['allowed', 'true,first,first_in_data_collection,last_in_data_collection,last,false,incremental']],
};

/** What every source block begins with, whatever the database. */
export const COMMON_SOURCE_FIELDS: readonly ConnectField[] = [
  { name: 'version', schema: STRING, optional: false },
  { name: 'connector', schema: STRING, optional: false },
  { name: 'name', schema: STRING, optional: false },
  { name: 'ts_ms', schema: INT64, optional: false },
  { name: 'snapshot', schema: SNAPSHOT, optional: true, default: { write: (out) => out.text('false') } },
  { name: 'db', schema: STRING, optional: false },
  { name: 'sequence', schema: STRING, optional: true },
  { name: 'ts_us', schema: INT64, optional: true },
  { name: 'ts_ns', schema: INT64, optional: true },
];

/** version, connector, name */
export function writeSourceOrigin(out: ValueWriter, connectorName: string, topicPrefix: string): void {
  out.field('version');
  out.text(DEBEZIUM_VERSION);
  out.field('connector');
  out.text(connectorName);
  out.field('name');
  out.text(topicPrefix);
}

/** ts_ms: when it was committed, from microseconds since 1970. */
export function writeCommitMs(out: ValueWriter, commitTimeUs: number): void {
  out.field('ts_ms');
  out.safeLong(Math.floor(commitTimeUs / 1000));
}

/** snapshot, db: of a change that was streamed (`false`), or of a row that was read. */
export function writeReadFrom(out: ValueWriter, snapshot: SnapshotMarker | 'false', database: string): void {
  out.field('snapshot');
  out.present(1);
  out.text(snapshot);
  out.field('db');
  out.text(database);
}

/** ts_us, ts_ns */
export function writeFineCommitTimes(out: ValueWriter, commitTimeUs: number): void {
  out.field('ts_us');
  out.present(0);
  out.safeLong(commitTimeUs);
  out.field('ts_ns');
  out.present(0);
  writeThousandfold(commitTimeUs, out);
}
