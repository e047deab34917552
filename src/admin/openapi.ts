import { SOURCE_STATES } from '../core/source-status.ts';
import type { Route } from './route.ts';

/** The OpenAPI 3.1 document of exactly the routes that exist. https://spec.openapis.org/oas/v3.1.1 */
export function describeApi(routes: readonly Route[], version: string): Readonly<Record<string, unknown>> {
  const paths = Object.fromEntries(routes.map((route) => [openApiPath(route.path), { get: describeRoute(route) }]));
  return {
    openapi: '3.1.0',
    info: { title: 'tailrace', version, description: 'Health, metrics and the state of the sources of one daemon.' },
    paths,
    components: { schemas: SCHEMAS },
  };
}

function describeRoute(route: Route): object {
  const parameters = [...route.path.matchAll(/:(\w+)/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));
  const responses = Object.entries(route.responses).map(([status, { description, contentType, schema }]) => [
    status,
    {
      description,
      content: {
        [contentType]: {
          schema: schema === undefined ? { type: 'string' } : { $ref: `#/components/schemas/${schema}` },
        },
      },
    },
  ]);
  return {
    operationId: operationId(route.path),
    summary: route.summary,
    parameters,
    responses: Object.fromEntries(responses),
  };
}

function openApiPath(path: string): string {
  return path.replace(/:(\w+)/g, '{$1}');
}

/** `/api/v1/sources/:name` → `getApiV1SourcesByName`. */
function operationId(path: string): string {
  const words = path
    .replaceAll(':', 'by-')
    .split(/[^a-z0-9]+/i)
    .filter((word) => word !== '');
  return `get${words.map((word) => word[0]!.toUpperCase() + word.slice(1)).join('') || 'Index'}`;
}

const TEXT = { type: 'string' };
const TIME = { type: 'string', format: 'date-time' };
const NUMBER = { type: 'number', minimum: 0 };
const WHOLE = { type: 'integer', minimum: 0 };
const STATE = { type: 'string', enum: SOURCE_STATES };

const SCHEMAS = {
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
    snapshot: { type: 'null' },
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
  Health: record({ status: { type: 'string', const: 'ok' } }),
  Problem: {
    type: 'object',
    description: 'RFC 9457.',
    properties: {
      type: TEXT,
      title: TEXT,
      status: { type: 'integer' },
      detail: TEXT,
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
