// The negative control of soak.mjs, loaded into the server before it: keeps a piece of memory of every request for ever.
import { Server } from 'node:http';

const LEAK_BYTES = 256 * 1024;
const kept = [];
const { emit } = Server.prototype;
Server.prototype.emit = function (event, ...rest) {
  // Filled, so that the pages are really there.
  if (event === 'request') kept.push(Buffer.alloc(LEAK_BYTES, 1));
  return emit.call(this, event, ...rest);
};
