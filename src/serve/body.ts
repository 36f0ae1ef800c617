// Bodies as JSON: bytes that are no UTF-8, keys that reach for prototypes and JSON that is none are refused, not repaired.
import type { FastifyInstance } from 'fastify';
import { Refusal } from './refusal.js';

const NOT_UTF8 = 'the body is not UTF-8';
const NOT_JSON = 'the body is not JSON, or has a key that reaches for a prototype';
const HINT = 'send one JSON object in UTF-8';

/** Makes JSON the one kind of body that `app` reads. */
export function readJsonBodies(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  const utf8 = new TextDecoder('utf-8', { fatal: true });
  const refused = (found: string): Refusal => new Refusal('malformed-json', found, { hint: HINT });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    let text: string;
    try {
      text = utf8.decode(body as Buffer);
    } catch {
      return done(refused(NOT_UTF8));
    }
    // Without the library's own words: they may quote the body.
    parse(request, text, (error, value) => (error === null ? done(null, value) : done(refused(NOT_JSON))));
  });
}
