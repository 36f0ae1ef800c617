// The commands, and how a run ends: the exit code, and one sentence on stderr when it failed.
import { Command, CommanderError } from 'commander';
import { EmbedkitError, EXIT, messageOf, systemCode } from '../errors.js';
import { printable } from '../format.js';
import { VERSION } from '../version.js';
import { addBenchCommands } from './bench-command.js';
import { COST_FLAGS, type CostArguments } from './cost-flags.js';
import type { EmbedArguments } from './embed.js';
import { EMBED_FLAGS } from './embed-flags.js';
import { addEvaluate } from './evaluate-command.js';
import { EXPORT_FLAGS, type ExportArguments } from './export.js';
import { addFlags } from './flags.js';
import { INSPECT_FLAGS, type InspectArguments } from './inspect.js';
import { LOAD_FLAGS, type LoadArguments } from './load-flags.js';
import { addModelsCommands } from './models-command.js';
import type { QuantizeArguments } from './quantize.js';
import { QUANTIZE_FLAGS } from './quantize-flags.js';
import { RANGES_FLAGS, type RangesArguments } from './ranges.js';
import type { ServeArguments } from './serve.js';
import { SERVE_FLAGS } from './serve-flags.js';
import { unknownVariables } from './unknown-variables.js';
import { VERIFY_FLAGS, type VerifyArguments } from './verify-flags.js';

/** Runs embedkit with the arguments after the program's name; returns the exit code. */
export async function main(args: readonly string[]): Promise<number> {
  // A panic inside a WebAssembly library surfaces outside every call stack.
  process.once('uncaughtException', (error) => {
    process.exit(systemCode(error) === 'EPIPE' ? EXIT.closedPipe : reportFailure(error, args));
  });
  let code: number = EXIT.ok;
  try {
    const program = createProgram((ended) => {
      code = ended;
    });
    warnOfVariables(unknownVariables(program, process.env), args);
    await program.parseAsync([...args], { from: 'user' });
    return code;
  } catch (error) {
    return reportFailure(error, args);
  }
}

/** The command line as commander knows it; nothing is run until it is parsed. `onCode` is told the exit code of a run that did not fail. */
export function createProgram(onCode: (code: number) => void = () => undefined): Command {
  const program = new Command('embedkit')
    .description('Text corpora into embedding files on ordinary CPUs.')
    .version(VERSION)
    .exitOverride()
    // Errors are reported below, like all others.
    .configureOutput({ outputError: () => undefined });
  for (const add of COMMANDS) add(program, onCode);
  return program;
}

/** In the order of the help. */
const COMMANDS: readonly ((program: Command, onCode: (code: number) => void) => void)[] = [
  addEmbed,
  addInspect,
  addVerify,
  addEvaluate,
  addServe,
  addModelsCommands,
  addExport,
  addQuantize,
  addRanges,
  addBenchCommands,
  addLoad,
  addCost,
];

function addEmbed(program: Command, onCode: (code: number) => void): void {
  const embed = program
    .command('embed')
    .description('embed texts from files, folders, globs or standard input ("-") into Parquet, Arrow or JSONL')
    .argument('<input...>', 'files, folders, globs, or "-"')
    .addHelpText('after', '\nEvery flag is also an environment variable: --text-field is EMBEDKIT_TEXT_FIELD.')
    .action(async (inputs: string[], given: EmbedArguments) => onCode(await (await import('./embed.js')).embed(inputs, given)));
  addFlags(embed, EMBED_FLAGS);
}

function addExport(program: Command): void {
  const exporting = program
    .command('export')
    .description('make a model folder from an ONNX model, or from the safetensors of a transformers or sentence-transformers folder')
    .argument(
      '<model>',
      "ONNX or safetensors file, a folder with model.onnx, onnx/model.onnx or model.safetensors in it, or ORG/NAME of the hub's cache",
    )
    .action(async (model: string, given: ExportArguments) => (await import('./export.js')).exportCommand(model, given));
  addFlags(exporting, EXPORT_FLAGS);
}

function addQuantize(program: Command): void {
  const quantizing = program
    .command('quantize')
    .description('make an INT8 model from an ONNX one and calibration text, held against full precision before it is installed')
    .argument('[model]', 'model folder, ONNX file, or a folder with one in it (default: the shipped model)')
    .action(async (model: string | undefined, given: QuantizeArguments) => (await import('./quantize.js')).quantize(model, given));
  addFlags(quantizing, QUANTIZE_FLAGS);
}

function addRanges(program: Command): void {
  const ranging = program
    .command('ranges')
    .description("record the ranges of a model's vectors on calibration text in its manifest, for embed --dtype int8")
    .argument('<model>', 'model folder, whose manifest is rewritten; the shipped model has its ranges')
    .action(async (model: string, given: RangesArguments) => (await import('./ranges.js')).ranges(model, given));
  addFlags(ranging, RANGES_FLAGS);
}

function addInspect(program: Command): void {
  const inspecting = program
    .command('inspect')
    .description('show what an output of embed is: its making, its columns, counts, and the rows put aside')
    .argument('<file>', 'Parquet, Arrow or JSONL that embed wrote')
    .action(async (file: string, given: InspectArguments) => (await import('./inspect.js')).inspect(file, given));
  addFlags(inspecting, INSPECT_FLAGS);
}

function addVerify(program: Command): void {
  const verifying = program
    .command('verify')
    .description('check that an output of embed is what it claims: its vectors and model, and with --against its input too')
    .argument('<file>', 'Parquet, Arrow or JSONL that embed wrote')
    .action(async (file: string, given: VerifyArguments) => (await import('./verify.js')).verify(file, given));
  addFlags(verifying, VERIFY_FLAGS);
}

function addServe(program: Command, onCode: (code: number) => void): void {
  const serving = program
    .command('serve')
    .description('answer requests for vectors over HTTP: the same bits as embed')
    .action(async (given: ServeArguments) => onCode(await (await import('./serve.js')).serve(given)));
  addFlags(serving, SERVE_FLAGS);
}

function addCost(program: Command): void {
  const costing = program
    .command('cost')
    .description('what embeddings cost a month: an API against your own machines, and the volume at which that turns')
    .action(async (given: CostArguments) => (await import('./cost.js')).cost(given));
  addFlags(costing, COST_FLAGS);
}

function addLoad(program: Command): void {
  const loading = program
    .command('load')
    .description('send requests to a server at rising rates, without waiting for answers: latencies, throughput, and the knee')
    .argument('<url>', 'the server, as http://127.0.0.1:8000')
    .action(async (url: string, given: LoadArguments) => (await import('./load.js')).load(url, given));
  addFlags(loading, LOAD_FLAGS);
}

function warnOfVariables(names: readonly string[], args: readonly string[]): void {
  for (const name of names) {
    const message = `${printable(name)} is set, and no flag has that variable: see embedkit embed --help for the flags`;
    process.stderr.write(logFormatOf(args) === 'json' ? `${JSON.stringify({ event: 'warning', message })}\n` : `warning: ${message}\n`);
  }
}

function reportFailure(error: unknown, args: readonly string[]): number {
  // Help and version were asked for, or help was printed because no command was named.
  if (error instanceof CommanderError && error.exitCode === 0) return EXIT.ok;
  if (error instanceof CommanderError && error.code === 'commander.help') return EXIT.usage;
  const known = describeFailure(error);
  if (known.code === 'closed-pipe') return known.exitCode;
  const line =
    logFormatOf(args) === 'json'
      ? JSON.stringify({ event: 'error', code: known.code, message: known.message, hint: known.hint })
      : `embedkit: ${printable(known.sentence)}`;
  process.stderr.write(`${line}\n`);
  return known.exitCode;
}

function describeFailure(error: unknown): EmbedkitError {
  if (error instanceof EmbedkitError) return error;
  const message = messageOf(error);
  if (error instanceof CommanderError) {
    const found = message.replace(/^error: /, '').replace(/\.$/, '');
    return new EmbedkitError('usage', found, { hint: 'see embedkit --help, or --help after a command', cause: error });
  }
  return new EmbedkitError('internal', `internal error: ${message}`, { hint: 'please report it', cause: error });
}

/** The log format asked for, found without the parser, which may be what failed. */
function logFormatOf(args: readonly string[]): string | undefined {
  const given = args.findLastIndex((arg) => arg === '--log-format' || arg.startsWith('--log-format='));
  if (given === -1) return process.env['EMBEDKIT_LOG_FORMAT'];
  return args[given] === '--log-format' ? args[given + 1] : args[given]?.slice('--log-format='.length);
}
