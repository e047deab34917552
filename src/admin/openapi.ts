import type { Route } from './route.ts';
import { NO_BODY, SCHEMAS } from './schemas.ts';

/** The OpenAPI 3.1 document of exactly the routes that exist. https://spec.openapis.org/oas/v3.1.1 */
export function describeApi(routes: readonly Route[], version: string): Readonly<Record<string, unknown>> {
  const paths: Record<string, Record<string, object>> = {};
  for (const route of routes) {
    const path = route.path.replace(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: describeRoute(route) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'tailrace',
      version,
      description:
        'Health, metrics, the state of the sources of one daemon, and what can be done to them. Without http.tokens only ' +
        'the loopback is served, and no token is asked for.',
    },
    paths,
    components: {
      schemas: SCHEMAS,
      securitySchemes: {
        token: {
          type: 'http',
          scheme: 'bearer',
          description: 'One of http.tokens; role read for GET, operate for all.',
        },
      },
    },
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
      content: Object.fromEntries(
        [contentType]
          .flat()
          .map((type) => [
            type,
            { schema: schema === undefined ? { type: 'string' } : { $ref: `#/components/schemas/${schema}` } },
          ]),
      ),
    },
  ]);
  return {
    operationId: operationId(route),
    summary: route.summary,
    security: route.access === 'open' ? [] : [{ token: [route.access] }],
    parameters,
    ...describeBody(route),
    responses: Object.fromEntries(responses),
  };
}

function describeBody({ method, body }: Route): object {
  if (body !== undefined) {
    const { schema, description } = body;
    const required = Array.isArray(schema.required);
    return { requestBody: { description, required, content: { 'application/json': { schema } } } };
  }
  if (method === 'GET') return {};
  return { requestBody: { required: false, content: { 'application/json': { schema: NO_BODY } } } };
}

/** GET `/api/v1/sources/:name` → `getApiV1SourcesByName`. */
function operationId({ method, path }: Route): string {
  const words = path
    .replaceAll(':', 'by-')
    .split(/[^a-z0-9]+/i)
    .filter((word) => word !== '');
  return `${method.toLowerCase()}${words.map((word) => word[0]!.toUpperCase() + word.slice(1)).join('') || 'Index'}`;
}
