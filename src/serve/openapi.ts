// /openapi.json, made from the table of routes and their schemas.
import { z } from 'zod';
import { VERSION } from '../version.js';
import { type Endpoint, endpoint } from './endpoint.js';
import { REFUSALS } from './refusal.js';
import { errorAnswer, inputsErrorAnswer } from './schemas.js';

type Json = Readonly<Record<string, unknown>>;

/** Statuses that a route which takes a body may answer with, beside 200; nobody is there to read a 499. */
const BODY_ERRORS = [...new Set([...Object.values(REFUSALS), 500])].filter((status) => status !== 405 && status !== 499);
const CLOSING = 503;

/** The route itself, which stands in its own table. */
export function openapiRoute(endpoints: readonly Endpoint[], hasKeys: boolean): Endpoint {
  const document: { text?: string } = {};
  const route: Endpoint = endpoint({
    method: 'GET',
    url: '/openapi.json',
    summary: 'This description',
    guarded: false,
    handle: async () => {
      document.text ??= JSON.stringify(openapi([...endpoints, route], hasKeys));
      return document.text;
    },
  });
  return route;
}

/** OpenAPI 3.1, whose schemas are plain JSON Schema. */
export function openapi(endpoints: readonly Endpoint[], hasKeys: boolean): Json {
  const paths: Record<string, Record<string, Json>> = {};
  for (const one of endpoints) paths[one.url] = { ...paths[one.url], [one.method.toLowerCase()]: operation(one, hasKeys) };
  return {
    openapi: '3.1.0',
    info: { title: 'embedkit serve', version: VERSION, description: 'Vectors of texts: the same bits as `embedkit embed` gives.' },
    paths,
    ...(hasKeys ? { components: { securitySchemes: { key: { type: 'http', scheme: 'bearer' } } } } : {}),
  };
}

function operation({ method, url, summary, body, answer, mediaType, guarded, errors }: Endpoint, hasKeys: boolean): Json {
  const either = z.union([errorAnswer, inputsErrorAnswer]);
  const error = content(errors === 'inputs' ? inputsErrorAnswer : url === '/embed' ? either : errorAnswer);
  const failures = method === 'POST' ? BODY_ERRORS : [CLOSING, 401];
  const answers = failures.filter((status) => status !== 401 || (hasKeys && guarded));
  const notReady = url === '/ready' && answer !== undefined ? { 503: { description: 'Not ready', content: content(answer) } } : {};
  return {
    operationId: `${method.toLowerCase()} ${url}`.replace(/\W+/g, '_').replace(/_$/, ''),
    summary,
    ...(hasKeys && guarded ? { security: [{ key: [] }] } : {}),
    ...(body === undefined ? {} : { requestBody: { required: true, content: content(body) } }),
    responses: {
      200: { description: 'Done', content: answer === undefined ? { [mediaType ?? 'application/json']: {} } : content(answer) },
      ...Object.fromEntries(answers.map((status) => [status, { description: describe(status), content: error }])),
      ...notReady,
    },
  };
}

function content(schema: z.ZodType): Json {
  const { $schema: _, ...json } = z.toJSONSchema(schema, { io: 'input' });
  return { 'application/json': { schema: json } };
}

function describe(status: number): string {
  const codes = Object.entries(REFUSALS).filter(([, found]) => found === status);
  return codes.length === 0 ? 'An engine or the server failed' : codes.map(([code]) => code).join(', ');
}
