import { type FastifyError, type FastifyInstance, type FastifyReply, fastify } from 'fastify';
import { ConfigurationError } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import type { HttpSettings } from '../core/settings.ts';
import { type Answer, problem } from './answer.ts';
import { answerClientError } from './client-error.ts';
import type { Route } from './route.ts';
import { type AdminView, adminRoutes } from './routes.ts';

export interface AdminServer {
  readonly host: string;
  /** The port that was bound, also where the configured one is 0. */
  readonly port: number;
  readonly url: string;
  /** Stops listening and closes every connection, busy ones too. */
  close(): Promise<void>;
}

const ALLOWED_METHODS = 'GET, HEAD';

/** What a client may take of the process. */
export interface HttpLimits {
  /** For the whole head of a request. */
  readonly headersTimeoutMs: number;
  readonly requestTimeoutMs: number;
  /** For a connection on which nothing moves. */
  readonly idleTimeoutMs: number;
  /** Sockets beyond this are closed at once. */
  readonly connections: number;
  readonly headerBytes: number;
  readonly bodyBytes: number;
}

const DEFAULT_LIMITS: HttpLimits = {
  headersTimeoutMs: 5_000,
  requestTimeoutMs: 10_000,
  idleTimeoutMs: 30_000,
  connections: 256,
  headerBytes: 16 * 1024,
  bodyBytes: 64 * 1024,
};

/**
 * Serves health, metrics and the state of the sources. Nothing is logged per request, and nothing waits for a client:
 * answers are whole texts, and silent connections are closed.
 * @throws ConfigurationError where the address cannot be bound.
 */
export async function startAdminServer(
  settings: HttpSettings,
  view: AdminView,
  logger: Logger,
  limits: HttpLimits = DEFAULT_LIMITS,
): Promise<AdminServer> {
  const routes = adminRoutes(view);
  const app = fastify({
    logger: false,
    bodyLimit: limits.bodyBytes,
    connectionTimeout: limits.idleTimeoutMs,
    requestTimeout: limits.requestTimeoutMs,
    keepAliveTimeout: 75_000,
    forceCloseConnections: true,
    http: {
      maxHeaderSize: limits.headerBytes,
      headersTimeout: limits.headersTimeoutMs,
      connectionsCheckingInterval: Math.min(2_000, limits.headersTimeoutMs),
    },
    routerOptions: { maxParamLength: 256 },
    clientErrorHandler: answerClientError,
    frameworkErrors: (error, _request, reply) => sendError(error, reply, logger),
  });
  app.server.maxConnections = limits.connections;
  register(app, routes, logger);
  await listen(app, settings);
  const address = app.server.address();
  const port = address !== null && typeof address === 'object' ? address.port : settings.port;
  const host = settings.host.includes(':') ? `[${settings.host}]` : settings.host;
  return { host: settings.host, port, url: `http://${host}:${port}`, close: () => app.close() };
}

function register(app: FastifyInstance, routes: readonly Route[], logger: Logger): void {
  const patterns = routes.map(({ path }) => new RegExp(`^${path.replace(/:\w+/g, '[^/]+')}$`));
  app.addHook('onRequest', async (request, reply) => {
    reply.header('cache-control', 'no-store').header('x-content-type-options', 'nosniff');
    if (!request.is404) return;
    // Before the body is read: what was sent to nowhere need not be parsed.
    const path = request.url.split('?', 1)[0]!;
    if (!patterns.some((pattern) => pattern.test(path))) {
      return send(reply, problem(404, 'There is nothing here. GET / lists what there is.'));
    }
    reply.header('allow', ALLOWED_METHODS);
    return send(reply, problem(405, `This resource only has ${ALLOWED_METHODS}.`));
  });
  app.setErrorHandler<FastifyError>((error, _request, reply) => sendError(error, reply, logger));
  for (const route of routes) {
    app.get<{ Params: Record<string, string> }>(route.path, async (request, reply) =>
      send(reply, await route.handle(request.params)),
    );
  }
}

/** As bytes, because fastify adds a charset to the type of a text, and problem+json has no such parameter. */
function send(reply: FastifyReply, answer: Answer): FastifyReply {
  return reply.code(answer.status).header('content-type', answer.contentType).send(Buffer.from(answer.body));
}

/** What the client did wrong is told to the client; what we did wrong is told to the log. */
function sendError(error: FastifyError, reply: FastifyReply, logger: Logger): FastifyReply {
  const status = error.statusCode ?? 500;
  if (status >= 400 && status < 500) return send(reply, problem(status, 'The request cannot be understood.'));
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
