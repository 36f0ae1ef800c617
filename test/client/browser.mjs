// Loads the client as a browser would: ECMAScript modules in a world that has what browsers have, and nothing of Node. Prints what came out.
// Usage: node --experimental-vm-modules test/client/browser.mjs <url of a server>
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import vm from 'node:vm';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const WEB = {
  AbortController,
  AbortSignal,
  DOMException,
  Event,
  EventTarget,
  Headers,
  Request,
  Response,
  URL,
  performance,
  fetch,
  TextEncoder,
};
const timers = { setTimeout: (...args) => Number(setTimeout(...args)), clearTimeout: (id) => clearTimeout(id) };
const context = vm.createContext({ ...WEB, ...timers });

/** As a bundler finds packages: by their `exports` or `module`, never by what is meant for Node. */
function resolve(specifier, from) {
  if (specifier.startsWith('.')) return withExtension(join(dirname(from), specifier));
  const [name, ...rest] = specifier.split('/');
  if (specifier.startsWith('node:') || rest.length > 0) throw new Error(`${from} imports ${specifier}`);
  const folder = join(ROOT, 'node_modules', name);
  const { exports, module } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  return join(folder, exports?.['.']?.import ?? module);
}

function withExtension(path) {
  if (existsSync(path) && statSync(path).isFile()) return path;
  return existsSync(`${path}.js`) ? `${path}.js` : join(path, 'index.js');
}

const modules = new Map();
function load(path) {
  if (!modules.has(path)) modules.set(path, new vm.SourceTextModule(readFileSync(path, 'utf8'), { context, identifier: path }));
  return modules.get(path);
}

const entry = load(join(ROOT, 'dist/client/index.js'));
await entry.link((specifier, from) => load(resolve(specifier, from.identifier)));
await entry.evaluate();
const { createClient } = entry.namespace;
const client = createClient({ server: process.argv[2], limits: { backoffMs: 5 } });
const { embeddings, source } = await client.embed(['a', 'b']);
const failed = await client.embed('no list').catch(({ name, code }) => `${name} ${code}`);
console.log(JSON.stringify({ vectors: embeddings.map((vector) => [...vector]), source, failed, modules: modules.size }));
