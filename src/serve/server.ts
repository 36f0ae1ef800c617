// The server as a whole: models, engines, routes and metrics put together, started, and brought to an end.
import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { EmbedkitError, wrapError } from '../errors.js';
import type { Precision } from '../model/names.js';
import { createApp } from './app.js';
import { type BatchConfig, ENGINE_HANGS_MS, type ModelChoice, type ServeLimits } from './config.js';
import { embedRoutes } from './embed-routes.js';
import type { Endpoint } from './endpoint.js';
import { openKeys } from './keys.js';
import { createMetrics, type Metrics } from './metrics.js';
import { openModels, type ServedModel } from './models.js';
import { openapiRoute } from './openapi.js';
import { pageRoutes } from './page.js';
import { Refusal } from './refusal.js';
import { stateRoutes } from './state-routes.js';
import { tokenizeRoute } from './tokenize-route.js';
import { Turns } from './turns.js';

export interface ServeConfig {
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
  readonly models: readonly ModelChoice[];
  readonly precision?: Precision | undefined;
  /** Engine processes a model; default: the CPUs that this process may use. */
  readonly threads?: number | undefined;
  readonly maxTokens?: number | undefined;
  readonly batches: BatchConfig;
  readonly limits: ServeLimits;
  readonly acceptTokenIds: boolean;
  readonly apiKeyFile?: string | undefined;
  /** The module that an engine process runs. */
  readonly engineScript: URL;
  readonly log: Logger;
  /** A batch that takes longer than this is given up, and its engine with it. */
  readonly hangsMs?: number | undefined;
}

export interface Server {
  readonly url: string;
  readonly models: readonly ServedModel[];
  /**
   * Stops accepting, finishes what it took, ends the engines; after `withinMs` what is left is cut off.
   * @returns whether everything was finished
   */
  close(withinMs: number): Promise<boolean>;
}

const WARM_ROUNDS = 4;
/** About 50 tokens, and as many texts of it as fill a batch of an engine. */
const WARM_TEXT = 'ready? '.repeat(24);
const WARM_TEXTS = 16;
const SWEEP_MS = 100;

/** Starts a server; it is ready when this returns. Throws `usage`, `model-invalid`, `engine-failed`. */
export async function startServer(config: ServeConfig): Promise<Server> {
  const { log } = config;
  const metrics = createMetrics();
  const keys = config.apiKeyFile === undefined ? undefined : openKeys(config.apiKeyFile, (message) => log.error(message));
  const models = await openModels({
    ...config,
    precision: config.precision,
    threads: config.threads,
    maxTokens: config.maxTokens,
    hangsMs: config.hangsMs ?? ENGINE_HANGS_MS,
    onBatch: metrics.batch,
    onEngineEnd: (model, how) => {
      metrics.engineEnded(model);
      log.error({ model, how }, 'an engine process ended; it is replaced');
    },
  });
  await Promise.all(models.map(warmUp));
  metrics.watch(models);
  const app = createApp({ endpoints: endpointsOf(config, models, metrics), limits: config.limits, metrics, log, keys });
  try {
    await app.listen({ host: config.host, port: config.port });
  } catch (error) {
    await closeEngines(models, 0);
    throw wrapError(error, 'usage', `cannot listen on ${config.host}:${config.port}`, 'choose another --host or --port');
  }
  return { url: urlOf(app, config.host), models, close: (withinMs) => close(app, models, withinMs) };
}

/**
 * The first texts find code that is not compiled yet: they are not to be a client's. The last ones tell how fast full batches are. Bounds
 * that are too tight for them are kept.
 */
async function warmUp({ dispatcher, engines, tokenizer, maxTokens }: ServedModel): Promise<void> {
  const embed = async (text: string, times: number): Promise<void> => {
    const ids = Int32Array.from(tokenizer.encode(text, maxTokens).ids);
    const texts = Array.from({ length: times }, () => ids);
    await dispatcher.embed(texts, { client: 'warm-up' }).catch((error: unknown) => {
      if (!(error instanceof Refusal)) throw error;
    });
  };
  for (let round = 0; round < WARM_ROUNDS; round++) await embed('ready?', engines.ready);
  for (let round = 0; round < WARM_ROUNDS; round++) await embed(WARM_TEXT, WARM_TEXTS * engines.ready);
}

function endpointsOf(config: ServeConfig, models: readonly ServedModel[], metrics: Metrics): Endpoint[] {
  const { limits, acceptTokenIds } = config;
  const services = { models, limits, acceptTokenIds, turns: new Turns(), onAnswer: metrics.answered, metrics: metrics.text };
  const endpoints = [...embedRoutes(services), tokenizeRoute(services), ...stateRoutes(services), ...pageRoutes()];
  return [...endpoints, openapiRoute(endpoints, config.apiKeyFile !== undefined)];
}

async function close(app: FastifyInstance, models: readonly ServedModel[], withinMs: number): Promise<boolean> {
  let isWhole = true;
  const late = setTimeout(() => {
    isWhole = false;
    app.server.closeAllConnections();
  }, withinMs);
  // Connections that have gone idle since the close began are not waited for.
  const sweep = setInterval(() => app.server.closeIdleConnections(), SWEEP_MS);
  await app.close();
  clearInterval(sweep);
  clearTimeout(late);
  await closeEngines(models, isWhole ? withinMs : 0);
  return isWhole;
}

async function closeEngines(models: readonly ServedModel[], withinMs: number): Promise<void> {
  await Promise.all(models.map(({ engines }) => engines.close(withinMs)));
}

function urlOf(app: FastifyInstance, host: string): string {
  const { port } = app.server.address() as AddressInfo;
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** "name=folder", or a folder or shipped model alone. */
export function modelChoice(text: string): ModelChoice {
  const [, name, folder] = /^([\w.-]+)=(.+)$/.exec(text) ?? [];
  if (folder !== undefined) return { name, folder };
  if (text.trim() !== '') return { folder: text };
  throw new EmbedkitError('usage', '--model: no folder named', { hint: 'say --model folder or --model name=folder' });
}
