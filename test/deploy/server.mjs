// What the drill starts and kills in its test: answers like embedkit's server. Usage: node server.mjs PORT [fingerprint]
import { createServer } from 'node:http';

const [port, fingerprint = 'f'.repeat(64)] = process.argv.slice(2);
createServer(async (request, response) => {
  let body = '';
  for await (const chunk of request) body += chunk;
  const texts = body === '' ? [] : JSON.parse(body).texts;
  const embeddings = texts.map((text) => [1, text.length, 0, 1]);
  const info = { models: [{ name: 'small', fingerprint, aliases: [] }] };
  const answer = request.url === '/info' ? info : { embeddings, model: 'small', tokens: 2, truncated: [] };
  response.setHeader('content-type', 'application/json').end(JSON.stringify(answer));
}).listen(Number(port), '127.0.0.1');
