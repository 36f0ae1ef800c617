// The commands, and how a run ends: the exit code, and one sentence on stderr when it failed.
import { Command, CommanderError } from 'commander';
import { EmbedkitError, EXIT, messageOf, systemCode } from '../errors.js';
import { VERSION } from '../version.js';
import type { EmbedArguments } from './embed.js';
import { EMBED_FLAGS } from './embed-flags.js';
import { EXPORT_FLAGS, type ExportArguments } from './export.js';
import { addFlags } from './flags.js';

/** Runs embedkit with the arguments after the program's name; returns the exit code. */
export async function main(args: readonly string[]): Promise<number> {
  // A panic inside a WebAssembly library surfaces outside every call stack.
  process.once('uncaughtException', (error) => {
    process.exit(systemCode(error) === 'EPIPE' ? EXIT.closedPipe : reportFailure(error, args));
  });
  try {
    await createProgram(process.env).parseAsync([...args], { from: 'user' });
    return EXIT.ok;
  } catch (error) {
    return reportFailure(error, args);
  }
}

/** The command line as commander knows it; nothing is run until it is parsed. */
export function createProgram(env: NodeJS.ProcessEnv): Command {
  const program = new Command('embedkit')
    .description('Text corpora into embedding files on ordinary CPUs.')
    .version(VERSION)
    .exitOverride()
    .showHelpAfterError('(embedkit --help lists commands and flags)');
  const embed = program
    .command('embed')
    .description('embed texts from files, folders, globs or standard input ("-") into Parquet, Arrow or JSONL')
    .argument('<input...>', 'files, folders, globs, or "-"')
    .addHelpText('after', '\nEvery flag is also an environment variable: --text-field is EMBEDKIT_TEXT_FIELD.')
    .action(async (inputs: string[], given: EmbedArguments) => (await import('./embed.js')).embed(inputs, given));
  addFlags(embed, EMBED_FLAGS, env);
  const exporting = program
    .command('export')
    .description('make a model folder from an ONNX model')
    .argument('<model>', 'ONNX file, or a folder with model.onnx or onnx/model.onnx in it')
    .action(async (model: string, given: ExportArguments) => (await import('./export.js')).exportCommand(model, given));
  addFlags(exporting, EXPORT_FLAGS, env);
  return program;
}

function reportFailure(error: unknown, args: readonly string[]): number {
  // commander has printed its own message.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  const known =
    error instanceof EmbedkitError
      ? error
      : new EmbedkitError('internal', `internal error: ${messageOf(error)}`, { hint: 'please report it', cause: error });
  if (known.code === 'closed-pipe') return known.exitCode;
  const asJson =
    args.some((arg, index) => arg === '--log-format=json' || (arg === '--log-format' && args[index + 1] === 'json')) ||
    process.env['EMBEDKIT_LOG_FORMAT'] === 'json';
  const line = asJson
    ? JSON.stringify({ event: 'error', code: known.code, message: known.message, hint: known.hint })
    : `embedkit: ${known.sentence}`;
  process.stderr.write(`${line}\n`);
  return known.exitCode;
}
