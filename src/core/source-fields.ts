import type { ConnectField, ConnectSchema } from './connect-schema.ts';

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
