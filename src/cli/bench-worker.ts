// The script of a measuring process of `bench`: requests come by messages and are answered in their order.
import { answer, createCommands } from '../bench/commands.js';
import type { Request } from '../bench/protocol.js';

const commands = createCommands();
let last = Promise.resolve();

process.on('message', (request: Request) => {
  last = last.then(async () => {
    const reply = await answer(commands, request);
    if (process.connected) process.send?.(reply);
  });
});
// Ctrl-C reaches every process of a terminal; what becomes of this one is for the parent to say.
process.on('SIGINT', () => undefined);
// Also where the parent was killed: a model's threads would keep this process alive.
process.on('disconnect', () => {
  last = last.then(() => process.exit());
});
