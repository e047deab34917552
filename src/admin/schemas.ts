import { SNAPSHOT_STATES } from '../core/snapshot-status.ts';
import { SOURCE_STATES } from '../core/source-status.ts';

/** JSON Schema in what 2020-12 (OpenAPI 3.1) and draft 7 (the validator of bodies) have in common. */
export type JsonSchema = Readonly<Record<string, unknown>>;

const TEXT = { type: 'string' };
const TIME = { type: 'string', format: 'date-time' };
const NUMBER = { type: 'number', minimum: 0 };
const WHOLE = { type: 'integer', minimum: 0 };
const STATE = { type: 'string', enum: SOURCE_STATES };

export const NO_BODY: JsonSchema = { type: 'object', properties: {}, additionalProperties: false };

export const RESYNC_BODY: JsonSchema = {
  type: 'object',
  properties: {
    confirm: { type: 'string', description: 'The name of the source again.' },
    keep_deleted: {
      type: 'boolean',
      description: 'Whether rows stay in the topics that are gone from the tables; else they are deleted at the end.',
    },
  },
  required: ['confirm'],
  additionalProperties: false,
};

export const SNAPSHOT_BODY: JsonSchema = {
  type: 'object',
  properties: {
    tables: {
      type: ['array', 'null'],
      items: { type: 'string', minLength: 1 },
      minItems: 1,
      description:
        'Regular expressions that match the whole of schema.table (MySQL and MariaDB: database.table). Every captured ' +
        'table when missing or null.',
    },
    where: {
      type: ['string', 'null'],
      minLength: 1,
      description: 'SQL for a WHERE clause on each of the tables. All rows when missing or null.',
    },
    blocking: { type: 'boolean', description: 'Whether the stream rests until the rows are out.' },
  },
  additionalProperties: false,
};

const SNAPSHOT = record({
  state: { type: 'string', enum: SNAPSHOT_STATES },
  waiting_for: { type: ['string', 'null'], description: 'Why nothing is read at this moment; null while rows are.' },
  started_at: TIME,
  ended_at: { type: ['string', 'null'], format: 'date-time' },
  tables: {
    type: 'array',
    items: record({
      table: TEXT,
      rows: { ...WHOLE, description: 'Published so far.' },
      estimated_rows: { type: ['integer', 'null'], minimum: 0 },
      done: { type: 'boolean' },
    }),
  },
});

/** The schemas of answers, by the names that routes give them. */
export const SCHEMAS = {
  Source: record({
    name: TEXT,
    type: TEXT,
    state: STATE,
    since: { ...TIME, description: 'When the state was entered.' },
    position: { type: ['string', 'null'], description: 'The last checkpointed position in the log of the database.' },
    lag_seconds: {
      type: ['number', 'null'],
      minimum: 0,
      description: 'Age of the newest published commit; 0 when caught up, null before anything is known.',
    },
    changes_total: { ...WHOLE, description: 'Changes acknowledged by Kafka since the process started.' },
    changes_per_second: { ...NUMBER, description: 'Over the last ten seconds.' },
    in_flight_bytes: { ...WHOLE, description: 'Sent to Kafka and not yet acknowledged.' },
    snapshot: { oneOf: [{ $ref: '#/components/schemas/Snapshot' }, { type: 'null' }] },
    retained_wal_bytes: { type: ['integer', 'null'], description: 'WAL that the server keeps because of the slot.' },
    last_error: orNull(record({ code: TEXT, message: TEXT, remedy: TEXT, at: TIME })),
    retry: orNull(
      record({
        failures: { ...WHOLE, description: 'Attempts that failed in a row.' },
        circuit_open: { type: 'boolean', description: 'True while the pauses between attempts last minutes.' },
        next_attempt_at: { type: ['string', 'null'], format: 'date-time' },
      }),
    ),
  }),
  SourceList: { type: 'array', items: { $ref: '#/components/schemas/Source' } },
  Snapshot: SNAPSHOT,
  SnapshotOrNull: { oneOf: [{ $ref: '#/components/schemas/Snapshot' }, { type: 'null' }] },
  Health: record({ status: { type: 'string', const: 'ok' } }),
  Problem: {
    type: 'object',
    description: 'RFC 9457.',
    properties: {
      type: TEXT,
      title: TEXT,
      status: { type: 'integer' },
      detail: TEXT,
      code: { ...TEXT, description: 'Stable; a row of the runbook.' },
      remedy: { ...TEXT, description: 'What to do.' },
      field: { ...TEXT, description: 'The member of the body that is wrong, such as tables[0].' },
      sources: { type: 'array', items: record({ source: TEXT, state: STATE, detail: TEXT }) },
    },
    required: ['type', 'title', 'status', 'detail'],
  },
  Object: { type: 'object' },
};

/** An object with all of its properties. */
function record(properties: Readonly<Record<string, object>>): object {
  return { type: 'object', properties, required: Object.keys(properties) };
}

function orNull(schema: object): object {
  return { oneOf: [schema, { type: 'null' }] };
}
