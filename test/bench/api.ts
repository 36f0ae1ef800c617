// A server on the loopback address that answers /v1/embeddings as OpenAI's does, or as it is told to.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

export interface Asked {
  readonly path: string;
  readonly authorization: string | undefined;
  readonly body: { readonly model: string; readonly input: readonly string[] };
}

/** Status and body of an answer. */
export type Answer = (asked: Asked, count: number) => { readonly status: number; readonly body: unknown };

export const embeddings: Answer = ({ body }) => ({
  status: 200,
  body: {
    object: 'list',
    data: body.input.map((_, index) => ({ object: 'embedding', index, embedding: [0.6, 0.8] })),
    model: body.model,
    usage: { prompt_tokens: 50 * body.input.length, total_tokens: 50 * body.input.length },
  },
});

/** Serves until the test ends. Returns its address and what it was asked. */
export async function startApi(answer: Answer = embeddings): Promise<{ url: string; asked: Asked[] }> {
  const asked: Asked[] = [];
  const server = createServer(async (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const one = {
      path: request.url ?? '',
      authorization: request.headers.authorization,
      body: JSON.parse(Buffer.concat(chunks).toString()),
    };
    asked.push(one);
    const { status, body } = answer(one, asked.length);
    response.writeHead(status, { 'content-type': 'application/json' }).end(typeof body === 'string' ? body : JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}
