import type { HealthVerdict, StatusProvider } from '../core/source-status.ts';
import { type Answer, json, problem, text } from './answer.ts';
import { describeApi } from './openapi.ts';
import { type OperationParts, operationRoutes } from './operation-routes.ts';
import type { Route } from './route.ts';
import { StatusPage, wantsHtml } from './status-page.ts';

/** What the HTTP server shows; whoever composes the daemon hands it in. */
export interface AdminView extends OperationParts {
  readonly status: StatusProvider;
  /** The whole exposition, ready to send. */
  renderMetrics(): Promise<{ readonly contentType: string; readonly body: string }>;
  readonly version: string;
}

const JSON_TYPE = 'application/json';
const PROBLEM = { contentType: 'application/problem+json', schema: 'Problem' } as const;
const NO_TOKEN = { description: 'No token, or an unknown one.', ...PROBLEM };

/**
 * Everything that the server answers: registration, OpenAPI and the index are made of this one list. Health and metrics
 * need no token, so that whatever watches the process needs no secret; they tell names, states, counts and errors. The status page holds no data: what it shows it asks for as every other client.
 */
export function adminRoutes(view: AdminView): readonly Route[] {
  const { status } = view;
  const page = new StatusPage();
  const routes: Route[] = [
    {
      method: 'GET',
      access: 'open',
      path: '/',
      summary: 'The status page for a browser, else what there is',
      responses: {
        200: {
          description: 'The page where Accept prefers text/html; else the resources, one a line.',
          contentType: ['text/plain', 'text/html'],
        },
      },
      handle: ({ accept }) =>
        wantsHtml(accept) ? page.document : { ...text(index(view.version, routes)), headers: { vary: 'accept' } },
    },
    {
      method: 'GET',
      access: 'open',
      path: '/page/:file',
      summary: 'Parts of the status page; they hold no data',
      responses: {
        200: { description: 'The part.', contentType: page.types },
        404: { description: 'The page has no such part.', ...PROBLEM },
      },
      handle: ({ parameters }) => page.part(parameters.file!),
    },
    {
      method: 'GET',
      access: 'open',
      path: '/livez',
      summary: 'Whether the process works; restart it when not',
      responses: {
        200: { description: 'Every loop runs.', contentType: JSON_TYPE, schema: 'Health' },
        503: { description: 'A loop is stuck.', ...PROBLEM },
      },
      handle: () => health(status.live(), 'A loop is stuck; restart the process.'),
    },
    {
      method: 'GET',
      access: 'open',
      path: '/readyz',
      summary: 'Whether every source does its work',
      responses: {
        200: {
          description: 'Every source streams, snapshots or is paused by its operator.',
          contentType: JSON_TYPE,
          schema: 'Health',
        },
        503: { description: 'Some source does not.', ...PROBLEM },
      },
      handle: () => health(status.ready(), 'Not every source does its work.'),
    },
    {
      method: 'GET',
      access: 'open',
      path: '/metrics',
      summary: 'Metrics for Prometheus',
      responses: { 200: { description: 'Text exposition format 0.0.4.', contentType: 'text/plain' } },
      handle: async () => ({ status: 200, ...(await view.renderMetrics()) }),
    },
    {
      method: 'GET',
      access: 'read',
      path: '/api/v1/sources',
      summary: 'All sources',
      responses: {
        200: { description: 'The sources.', contentType: JSON_TYPE, schema: 'SourceList' },
        401: NO_TOKEN,
      },
      handle: () => json(status.statuses()),
    },
    {
      method: 'GET',
      access: 'read',
      path: '/api/v1/sources/:name',
      summary: 'One source',
      responses: {
        200: { description: 'The source.', contentType: JSON_TYPE, schema: 'Source' },
        401: NO_TOKEN,
        404: { description: 'No source has this name.', ...PROBLEM },
      },
      handle: ({ parameters: { name } }) => {
        const statuses = status.statuses();
        const found = statuses.find((source) => source.name === name);
        if (found !== undefined) return json(found);
        const names = statuses.map((source) => source.name).join(', ');
        const more = { code: 'SOURCE_UNKNOWN', remedy: `The sources are: ${names}.` };
        return problem(404, 'There is no source of this name.', more);
      },
    },
    ...operationRoutes(view),
    {
      method: 'GET',
      access: 'open',
      path: '/api/v1/openapi.json',
      summary: 'This description',
      responses: { 200: { description: 'OpenAPI 3.1.', contentType: JSON_TYPE, schema: 'Object' } },
      handle: () => json(describeApi(routes, view.version)),
    },
  ];
  return routes;
}

function health(verdict: HealthVerdict, detail: string): Answer {
  return verdict.ok ? json({ status: 'ok' }) : problem(503, detail, { sources: verdict.problems });
}

function index(version: string, routes: readonly Route[]): string {
  const lines = routes.map(({ method, path, summary }) => `${method.padEnd(7)}${path.padEnd(41)}${summary}`);
  return `tailrace ${version}\n\n${lines.join('\n')}\n`;
}
