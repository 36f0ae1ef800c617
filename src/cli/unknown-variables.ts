// Variables named like a flag's that no flag has: a misspelt one would be passed over in silence, night after night.
import type { Command } from 'commander';
import { variableOf } from './flags.js';

const PREFIX = 'EMBEDKIT_';

/** Names of `env` that look like a flag's and are of no flag of any command, in their order. */
export function unknownVariables(program: Command, env: NodeJS.ProcessEnv): string[] {
  const known = new Set(optionsOf(program).map(variableOf));
  return Object.keys(env).filter((name) => name.startsWith(PREFIX) && !known.has(name));
}

function optionsOf(command: Command): string[] {
  return [...command.options.flatMap(({ long }) => long ?? []), ...command.commands.flatMap(optionsOf)];
}
