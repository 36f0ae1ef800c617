// The routes that tell how the server is and what it serves.
import { VERSION } from '../version.js';
import type { ServeLimits } from './config.js';
import { type Endpoint, endpoint } from './endpoint.js';
import type { ServedModel } from './models.js';
import { isReady, secondsSinceSuccess } from './readiness.js';
import { healthAnswer, infoAnswer, openaiModels, readyAnswer } from './schemas.js';

export interface StateServices {
  readonly models: readonly ServedModel[];
  readonly limits: ServeLimits;
  readonly acceptTokenIds: boolean;
  readonly metrics: () => Promise<string>;
}

const OPEN = { method: 'GET', guarded: false } as const;
const GUARDED = { method: 'GET', guarded: true } as const;

export function stateRoutes(services: StateServices): Endpoint[] {
  return [healthRoute(), readyRoute(services), metricsRoute(services), infoRoute(services), modelsRoute(services)];
}

function healthRoute(): Endpoint {
  return endpoint({
    ...OPEN,
    url: '/health',
    summary: 'Whether the server is alive',
    answer: healthAnswer,
    handle: async () => ({ status: 'ok' }),
  });
}

function readyRoute({ models }: StateServices): Endpoint {
  return endpoint({
    ...OPEN,
    url: '/ready',
    summary: 'Whether every model has given a vector lately; 503 where one has not',
    answer: readyAnswer,
    handle: async (_, { reply }) => {
      const states = await Promise.all(models.map(async (model) => [model.name, await stateOf(model)] as const));
      const ready = states.every(([, state]) => state.ready);
      reply.code(ready ? 200 : 503);
      return { status: ready ? 'ready' : 'not ready', models: Object.fromEntries(states) };
    },
  });
}

function metricsRoute({ metrics }: StateServices): Endpoint {
  return endpoint({
    ...OPEN,
    url: '/metrics',
    summary: 'Metrics for Prometheus',
    mediaType: 'text/plain; version=0.0.4; charset=utf-8',
    handle: async () => metrics(),
  });
}

function infoRoute({ models, limits, acceptTokenIds }: StateServices): Endpoint {
  return endpoint({
    ...GUARDED,
    url: '/info',
    summary: 'Models, fingerprints and limits',
    answer: infoAnswer,
    handle: async () => ({ version: VERSION, models: models.map(factsOfModel), limits, accept_token_ids: acceptTokenIds }),
  });
}

function modelsRoute({ models }: StateServices): Endpoint {
  const data = models.map(({ name }) => ({ id: name, object: 'model', created: 0, owned_by: 'embedkit' }));
  return endpoint({
    ...GUARDED,
    url: '/v1/models',
    summary: 'The names of the models, as OpenAI lists them',
    answer: openaiModels,
    handle: async () => ({ object: 'list', data }),
  });
}

async function stateOf(model: ServedModel): Promise<{ ready: boolean; engines: number; seconds_since_success: number | null }> {
  const ready = await isReady(model);
  return { ready, engines: model.engines.ready, seconds_since_success: secondsSinceSuccess(model) };
}

function factsOfModel({ name, aliases, folder, fingerprint, maxTokens, engines }: ServedModel): Record<string, unknown> {
  const { manifest, precision, pooling } = folder;
  return {
    name,
    aliases,
    fingerprint,
    precision,
    pooling,
    normalize: manifest.normalize,
    dim: manifest.dim,
    dimensions: [...new Set([...manifest.dimensions, manifest.dim])],
    max_tokens: maxTokens,
    prompts: [...new Set(['none', ...Object.keys(manifest.prompts)])],
    engines: engines.ready,
  };
}
