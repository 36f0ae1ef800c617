// The HTTP side: routes from their table, errors in the form of each, bounds on connections and bodies, one log line a request.
import { STATUS_CODES } from 'node:http';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { readJsonBodies } from './body.js';
import type { ServeLimits } from './config.js';
import { refuseBadConnections } from './connections.js';
import type { Endpoint } from './endpoint.js';
import type { KeyRing } from './keys.js';
import type { Metrics } from './metrics.js';
import { problemOf, Refusal } from './refusal.js';
import { type Facts, factsOf, follow } from './request-facts.js';

export interface AppOptions {
  readonly endpoints: readonly Endpoint[];
  readonly limits: ServeLimits;
  readonly metrics: Metrics;
  readonly log: Logger;
  /** Undefined: anybody may ask. */
  readonly keys: KeyRing | undefined;
}

const JSON_TYPE = 'application/json; charset=utf-8';

/** The server, not yet listening. */
export function createApp(options: AppOptions): FastifyInstance {
  const { limits } = options;
  const app = fastify({
    bodyLimit: limits.maxBodyBytes,
    requestTimeout: limits.bodyTimeoutMs,
    keepAliveTimeout: limits.idleTimeoutMs,
    connectionTimeout: limits.idleTimeoutMs + limits.timeoutMs,
    forceCloseConnections: 'idle',
    http: { headersTimeout: limits.headerTimeoutMs, connectionsCheckingInterval: 1000 },
    clientErrorHandler: (error, socket) => refuseBadConnections(error, socket, options.metrics),
  });
  app.server.maxConnections = limits.maxConnections;
  app.server.on('drop', () => options.metrics.rejected('too-many-connections'));
  endConnectionsOnClose(app);
  readJsonBodies(app);
  followRequests(app, options);
  app.setErrorHandler((error, request, reply) => {
    // Whatever is wrong with the body of a request to nowhere, nowhere is what is told.
    const isNowhere = request.routeOptions.url === undefined;
    return sendProblem(options, isNowhere ? noSuchRoute(options.endpoints, request) : error, request, reply);
  });
  app.setNotFoundHandler((request, reply) => sendProblem(options, noSuchRoute(options.endpoints, request), request, reply));
  for (const one of options.endpoints) addRoute(app, one, options);
  return app;
}

/** An answer that goes out while the server closes ends its connection, which would otherwise stay open for another request. */
function endConnectionsOnClose(app: FastifyInstance): void {
  let isClosing = false;
  app.addHook('preClose', async () => {
    isClosing = true;
  });
  app.addHook('onSend', async (_, reply, payload) => {
    if (isClosing) reply.header('connection', 'close');
    return payload;
  });
}

function addRoute(app: FastifyInstance, { method, url, guarded, mediaType = JSON_TYPE, handle }: Endpoint, { keys }: AppOptions): void {
  app.route({
    method,
    url,
    exposeHeadRoute: method === 'GET',
    // Before the body is read: a stranger's is not worth it.
    onRequest: async (request) => {
      if (!guarded || keys === undefined) return;
      factsOf(request).client = keys.nameOf(request.headers);
    },
    handler: async (request, reply) => {
      reply.type(mediaType);
      const answer = await handle(request.body, { request, reply, facts: factsOf(request) });
      return typeof answer === 'string' ? answer : JSON.stringify(answer);
    },
  });
}

/** Counts what is held, and tells of each request when it has ended. */
function followRequests(app: FastifyInstance, { limits, metrics, log }: AppOptions): void {
  let heldBytes = 0;
  app.addHook('onRequest', async (request, reply) => {
    const bytes = bodyBytes(request, limits);
    heldBytes += bytes;
    follow(request, reply, (facts, status) => {
      heldBytes -= bytes;
      const seconds = (performance.now() - facts.started) / 1000;
      const asksForVectors = request.method === 'POST' && !request.is404;
      if (asksForVectors) metrics.request(status, seconds);
      log.info(lineOf(request, facts, status, seconds), 'request');
    });
    reply.header('x-content-type-options', 'nosniff');
    if (heldBytes > limits.maxHeldBytes) {
      throw new Refusal('queue-full', 'the bodies of other requests take all the room there is', { hint: 'try again', retryAfter: 1 });
    }
  });
}

function bodyBytes({ method, headers }: FastifyRequest, limits: ServeLimits): number {
  if (method !== 'POST') return 0;
  const announced = Number(headers['content-length'] ?? limits.maxBodyBytes);
  return Number.isFinite(announced) ? Math.min(announced, limits.maxBodyBytes) : limits.maxBodyBytes;
}

/** One line a request, without its texts; nor does its path stand there as it was sent, which may be anything. */
function lineOf(request: FastifyRequest, facts: Facts, status: number, seconds: number): Record<string, unknown> {
  const { texts, tokens, truncated, model, client, refusal } = facts;
  const ms = Math.round(seconds * 1e5) / 100;
  return {
    method: request.method,
    route: request.routeOptions.url ?? 'none',
    status,
    ms,
    texts,
    tokens,
    truncated,
    model,
    client,
    refusal,
  };
}

function noSuchRoute(endpoints: readonly Endpoint[], request: FastifyRequest): Refusal {
  const methods = methodsAt(endpoints, request);
  if (methods.length === 0) return new Refusal('not-found', 'no such path', { hint: 'see /openapi.json' });
  return new Refusal('method-not-allowed', `this path takes ${methods.join(' and ')}`, { hint: 'see /openapi.json' });
}

function methodsAt(endpoints: readonly Endpoint[], request: FastifyRequest): string[] {
  const path = request.url.split('?')[0];
  return endpoints.filter(({ url }) => url === path).map(({ method }) => method);
}

function sendProblem({ endpoints, metrics, log }: AppOptions, error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const problem = problemOf(error);
  factsOf(request).refusal = problem.code;
  metrics.rejected(problem.code);
  if (problem.code === 'internal') log.error({ err: error }, 'internal error');
  else if (problem.status >= 500) log.warn({ code: problem.code }, problem.message);
  if (problem.retryAfter !== undefined) reply.header('retry-after', String(problem.retryAfter));
  if (problem.status === 401) reply.header('www-authenticate', 'Bearer');
  if (problem.status === 405) reply.header('allow', methodsAt(endpoints, request).join(', '));
  const body = bodyOf(problem, formOf(endpoints, request));
  return reply.code(problem.status).type(JSON_TYPE).send(JSON.stringify(body));
}

function formOf(endpoints: readonly Endpoint[], request: FastifyRequest): 'openai' | 'inputs' {
  const body = request.body;
  if (typeof body === 'object' && body !== null && Object.hasOwn(body, 'inputs')) return 'inputs';
  return endpoints.find(({ url, method }) => url === request.routeOptions.url && method === request.method)?.errors ?? 'openai';
}

function bodyOf({ status, code, message, param }: ReturnType<typeof problemOf>, form: 'openai' | 'inputs'): unknown {
  if (form === 'inputs') return { error: message, error_type: code };
  return { error: { message, type: (STATUS_CODES[status] ?? 'error').toLowerCase().replaceAll(' ', '_'), param, code } };
}
