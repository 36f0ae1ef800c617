// `pull`, and `models` with what stands under it, as commander knows them.
import type { Command } from 'commander';
import { addFlags, type Flag } from './flags.js';
import type { ModelsArguments } from './models.js';
import { PULL_FLAGS, type PullArguments } from './pull-flags.js';

export const MODELS_FLAGS: readonly Flag[] = [{ flags: '--json', help: 'print JSON' }];

/** Adds the commands to the program. */
export function addModelsCommands(program: Command): void {
  addPull(program);
  const models = program.command('models').description("models by name: shipped ones, and those in the hub's cache");
  const add = (name: string, description: string): Command => {
    const command = models.command(name).description(description);
    addFlags(command, MODELS_FLAGS);
    return command;
  };
  add('list', 'name, revision, size, and whether embed can use it').action(async (given: ModelsArguments) =>
    (await import('./models.js')).listModels(given),
  );
  add('info', 'one model: its commit, its files, where it lies')
    .argument('<model>', 'ORG/NAME[@revision], or the name of a shipped model')
    .action(async (name: string, given: ModelsArguments) => (await import('./models.js')).describeModel(name, given));
  add('verify', 'read every file again and hold it against its hash')
    .argument('[models...]', 'names (default: all)')
    .action(async (names: string[], given: ModelsArguments) => (await import('./models.js')).checkModels(names, given));
  add('rm', 'remove models from the cache, without asking, and say what that freed')
    .argument('<models...>', 'ORG/NAME, or ORG/NAME@revision for one revision')
    .action(async (names: string[], given: ModelsArguments) => (await import('./models.js')).removeModels(names, given));
}

function addPull(program: Command): void {
  const pulling = program
    .command('pull')
    .description('fetch a model of the hub into its cache: only the files needed, resumed where it broke off, every hash checked')
    .argument('<model>', 'ORG/NAME or ORG/NAME@revision, like BAAI/bge-small-en-v1.5')
    .addHelpText(
      'after',
      '\nHF_ENDPOINT, HF_TOKEN, HF_HOME, HF_HUB_CACHE, HF_HUB_OFFLINE and HTTPS_PROXY, HTTP_PROXY, NO_PROXY are honoured.',
    )
    .action(async (model: string, given: PullArguments) => (await import('./pull.js')).pullCommand(model, given));
  addFlags(pulling, PULL_FLAGS);
}
