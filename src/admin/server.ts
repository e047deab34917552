import type { ServerOptions } from 'node:http';
import {
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyServerOptions,
  fastify,
} from 'fastify';
import { ConfigurationError } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import type { HttpSettings } from '../core/settings.ts';
import { type Answer, problem } from './answer.ts';
import { Authorizer, type Caller, isForeignPage } from './authorizer.ts';
import { answerBadRequest } from './bad-request.ts';
import { answerClientError } from './client-error.ts';
import type { Route } from './route.ts';
import { type AdminView, adminRoutes } from './routes.ts';
import { NO_BODY } from './schemas.ts';

export interface AdminServer {
  readonly host: string;
  /** The port that was bound, also where the configured one is 0. */
  readonly port: number;
  readonly url: string;
  /** Stops listening and closes every connection, busy ones too. */
  close(): Promise<void>;
}

/** What a client may take of the process. */
export interface HttpLimits {
  /** For the whole head of a request. */
  readonly headersTimeoutMs: number;
  readonly requestTimeoutMs: number;
  /** For a connection on which nothing moves: longer than an operation takes to answer. */
  readonly idleTimeoutMs: number;
  /** Sockets beyond this are closed at once. */
  readonly connections: number;
  readonly headerBytes: number;
  readonly bodyBytes: number;
}

const DEFAULT_LIMITS: HttpLimits = {
  headersTimeoutMs: 5_000,
  requestTimeoutMs: 10_000,
  idleTimeoutMs: 45_000,
  connections: 256,
  headerBytes: 16 * 1024,
  bodyBytes: 64 * 1024,
};

/**
 * Serves health, metrics, the state of the sources, what can be done to them and the status page. Nothing is logged per request but
 * operations, and nothing waits for a client: answers are whole texts, and silent connections are closed.
 * @throws ConfigurationError where the address cannot be bound.
 */
export async function startAdminServer(
  settings: HttpSettings,
  view: AdminView,
  logger: Logger,
  limits: HttpLimits = DEFAULT_LIMITS,
): Promise<AdminServer> {
  const routes = adminRoutes(view);
  const { tls } = settings;
  const app = createApp(
    {
      logger: false,
      bodyLimit: limits.bodyBytes,
      connectionTimeout: limits.idleTimeoutMs,
      requestTimeout: limits.requestTimeoutMs,
      keepAliveTimeout: 75_000,
      forceCloseConnections: true,
      routerOptions: { maxParamLength: 256 },
      clientErrorHandler: answerClientError,
      frameworkErrors: (error, _request, reply) => sendError(error, reply, logger),
      // A body is what it is: nothing is converted, removed or filled in.
      ajv: { customOptions: { coerceTypes: false, removeAdditional: false, useDefaults: false, allErrors: false } },
    },
    {
      maxHeaderSize: limits.headerBytes,
      headersTimeout: limits.headersTimeoutMs,
      connectionsCheckingInterval: Math.min(2_000, limits.headersTimeoutMs),
    },
    tls,
  );
  app.server.maxConnections = limits.connections;
  readBodies(app);
  guard(app, routes, new Authorizer(settings.tokens), view.audit);
  app.setErrorHandler<FastifyError>((error, _request, reply) => sendError(error, reply, logger));
  for (const route of routes) register(app, route);
  await listen(app, settings);
  const address = app.server.address();
  const port = address !== null && typeof address === 'object' ? address.port : settings.port;
  const host = settings.host.includes(':') ? `[${settings.host}]` : settings.host;
  return {
    host: settings.host,
    port,
    url: `${tls === null ? 'http' : 'https'}://${host}:${port}`,
    close: () => app.close(),
  };
}

function createApp(options: FastifyServerOptions, http: ServerOptions, tls: HttpSettings['tls']): FastifyInstance {
  if (tls === null) return fastify({ ...options, http });
  const https = { ...http, cert: tls.cert, key: tls.key.reveal() };
  try {
    // Another type of server underneath, which nothing here looks at.
    return fastify({ ...options, https } as FastifyServerOptions) as unknown as FastifyInstance;
  } catch (error) {
    throw new ConfigurationError('The certificate of the HTTP server and its key cannot be used together.', {
      code: 'HTTP_TLS_UNUSABLE',
      remedy: 'Let http.tls.cert_file be a PEM certificate and http.tls.key_file the PEM key that belongs to it.',
      cause: error,
    });
  }
}

/** An operation without members may come without a body, also where a client says that there is JSON. */
function readBodies(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.addContentTypeParser<string>('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body.trim() === '') done(null, undefined);
    else parse(request, body, done);
  });
  app.addHook('preValidation', async (request) => {
    request.body ??= {};
  });
}

/** Before a body is read: what was sent to nowhere, or by nobody known, need not be parsed. */
function guard(app: FastifyInstance, routes: readonly Route[], authorizer: Authorizer, audit: Logger): void {
  const patterns = routes.map(({ path }) => new RegExp(`^${path.replace(/:\w+/g, '[^/]+')}$`));
  app.decorateRequest('caller', null);
  app.addHook('onRequest', async (request, reply) => {
    reply.header('cache-control', 'no-store').header('x-content-type-options', 'nosniff');
    if (request.is404) {
      const path = request.url.split('?', 1)[0]!;
      const here = routes.filter((_, index) => patterns[index]!.test(path));
      if (here.length === 0) return send(reply, problem(404, 'There is nothing here. GET / lists what there is.'));
      const allowed = here.flatMap(({ method }) => (method === 'GET' ? ['GET', 'HEAD'] : [method])).join(', ');
      return send(reply.header('allow', allowed), problem(405, `This resource only has ${allowed}.`));
    }
    const { access = 'open' } = request.routeOptions.config as { access?: Route['access'] };
    if (access === 'open') return;
    const verdict = authorizer.verdict(request.headers.authorization, access);
    if ('caller' in verdict && (authorizer.needsToken || !isForeignPage(request.raw))) {
      request.setDecorator('caller', verdict.caller);
      return;
    }
    const { status, detail } =
      'status' in verdict ? verdict : { status: 403, detail: 'A page of another site may not ask for this.' };
    if (access === 'operate') {
      const operation = `${request.method} ${request.routeOptions.url}`;
      audit.warn({ who: null, operation, outcome: 'denied', status }, `${operation} is denied`);
    }
    if (status === 401) reply.header('www-authenticate', 'Bearer realm="tailrace"');
    return send(reply, problem(status, detail));
  });
}

function register(app: FastifyInstance, route: Route): void {
  const { method, path: url, access, body } = route;
  app.route<{ Params: Record<string, string>; Body: Record<string, unknown> }>({
    method,
    url,
    config: { access },
    ...(method === 'GET' ? {} : { schema: { body: body?.schema ?? NO_BODY } }),
    handler: async (request, reply) => {
      const caller = access === 'open' ? NOBODY : request.getDecorator<Caller>('caller');
      const { params: parameters, headers } = request;
      const asked = { parameters, body: request.body ?? {}, caller, accept: headers.accept ?? '' };
      return send(reply, await route.handle(asked));
    },
  });
}

const NOBODY: Caller = { name: 'nobody', role: 'read' };

/** As bytes, because fastify adds a charset to the type of a text, and problem+json has no such parameter. */
function send(reply: FastifyReply, answer: Answer): FastifyReply {
  const { status, contentType, body, headers = {} } = answer;
  return reply.code(status).headers(headers).header('content-type', contentType).send(Buffer.from(body));
}

/** What the client did wrong is told to the client; what we did wrong is told to the log. */
function sendError(error: FastifyError, reply: FastifyReply, logger: Logger): FastifyReply {
  const status = error.statusCode ?? 500;
  if (status >= 400 && status < 500) return send(reply, answerBadRequest(error, status));
  logger.error({ error }, 'an HTTP request failed');
  return send(reply, problem(500, 'The daemon could not answer; its log says why.'));
}

const BIND_REMEDIES: Readonly<Record<string, string>> = {
  EADDRINUSE: 'Another process listens there: stop it, or set http.port to a free port (0 takes any).',
  EACCES: 'This user may not bind that port: set http.port to 1024 or above.',
  EADDRNOTAVAIL: 'This machine has no such address: set http.host to one of its own, such as 127.0.0.1 or 0.0.0.0.',
  ENOTFOUND: 'The name has no address: set http.host to an IP address of this machine.',
};

async function listen(app: FastifyInstance, { host, port }: HttpSettings): Promise<void> {
  try {
    await app.listen({ host, port });
  } catch (error) {
    await app.close();
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    throw new ConfigurationError(`The HTTP server cannot listen on ${host}:${port} (${code || 'unknown reason'}).`, {
      code: code === 'EADDRINUSE' ? 'HTTP_ADDRESS_IN_USE' : 'HTTP_ADDRESS_UNUSABLE',
      remedy: BIND_REMEDIES[code] ?? 'Set http.host and http.port to an address that this process may listen on.',
      cause: error,
    });
  }
}
